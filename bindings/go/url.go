package redis

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"
)

// ParseURL makes Options from redis://user:password@host:port/db?option=value, rediss:// for TLS,
// or unix://user:password@/path/to/socket?db=n. Option names are the fields' in snake_case;
// durations are seconds or Go's syntax, and 0 or less turns a limit off. No error contains the
// password.
func ParseURL(redisURL string) (*Options, error) {
	u, q, err := parseURL(redisURL)
	if err != nil {
		return nil, err
	}
	o := &Options{}
	o.Username, o.Password = urlUser(u)
	if u.Scheme == "unix" {
		err = o.urlSocket(u)
	} else {
		err = o.urlServer(u)
	}
	if err != nil {
		return nil, err
	}
	q.number("db", &o.DB)
	o.take(q)
	o.TLSConfig = q.verification(o.TLSConfig)
	if err := q.finish(); err != nil {
		return nil, err
	}
	return o, nil
}

// parseURL checks the scheme and takes the options apart.
func parseURL(redisURL string) (*url.URL, *query, error) {
	u, err := url.Parse(redisURL)
	if err != nil {
		// The parser's own error quotes the URL, and with it the password.
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return nil, nil, fmt.Errorf("redis: malformed URL: %w", err)
	}
	if u.Scheme != "redis" && u.Scheme != "rediss" && u.Scheme != "unix" {
		return nil, nil, urlScheme(u)
	}
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, nil, fmt.Errorf("redis: malformed URL query: %w", err)
	}
	return u, &query{values: values}, nil
}

func urlScheme(u *url.URL) error { return fmt.Errorf("redis: invalid URL scheme: %s", u.Scheme) }

func urlUser(u *url.URL) (username, password string) {
	password, _ = u.User.Password()
	return u.User.Username(), password
}

func (o *Options) urlServer(u *url.URL) error {
	o.Network = "tcp"
	host, port := u.Hostname(), u.Port()
	if host == "" {
		host = "localhost"
	}
	if port == "" {
		port = "6379"
	}
	o.Addr = net.JoinHostPort(host, port)
	if u.Scheme == "rediss" {
		o.TLSConfig = &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	}
	path := strings.Trim(u.Path, "/")
	if path == "" {
		return nil
	}
	if strings.Contains(path, "/") {
		return fmt.Errorf("redis: invalid URL path: %s", u.Path)
	}
	db, err := strconv.Atoi(path)
	if err != nil {
		return fmt.Errorf("redis: invalid database number: %q", path)
	}
	o.DB = db
	return nil
}

func (o *Options) urlSocket(u *url.URL) error {
	o.Network = "unix"
	if strings.TrimSpace(u.Path) == "" {
		return fmt.Errorf("redis: empty unix socket path")
	}
	o.Addr = u.Path
	return nil
}

// query takes options out of a URL one by one, so that what is left was not known.
type query struct {
	values url.Values
	err    error
}

func (q *query) take(name string) (string, bool) {
	all, ok := q.values[name]
	delete(q.values, name)
	if !ok || len(all) == 0 {
		return "", false
	}
	return all[len(all)-1], true
}

func (q *query) text(name string, into *string) {
	if value, ok := q.take(name); ok {
		*into = value
	}
}

func (q *query) number(name string, into *int) {
	value, ok := q.take(name)
	if !ok || value == "" {
		return
	}
	number, err := strconv.Atoi(value)
	if err != nil && q.err == nil {
		q.err = fmt.Errorf("redis: invalid %s number: %q", name, value)
	}
	*into = number
}

func (q *query) duration(name string, into *time.Duration) {
	value, ok := q.take(name)
	if !ok || value == "" {
		return
	}
	parsed, err := time.ParseDuration(value)
	if seconds, notNumber := strconv.Atoi(value); notNumber == nil {
		parsed, err = time.Duration(seconds)*time.Second, nil
	}
	if err != nil && q.err == nil {
		q.err = fmt.Errorf("redis: invalid %s duration: %q", name, value)
	}
	if parsed <= 0 {
		parsed = -1
	}
	*into = parsed
}

func (q *query) boolean(name string, into *bool) {
	value, ok := q.take(name)
	if !ok {
		return
	}
	switch value {
	case "true", "1":
		*into = true
	case "false", "0", "":
		*into = false
	default:
		if q.err == nil {
			q.err = fmt.Errorf("redis: invalid %s boolean: %q", name, value)
		}
	}
}

// finish reports the first bad value, or the names nothing took.
func (q *query) finish() error {
	if q.err != nil || len(q.values) == 0 {
		return q.err
	}
	names := make([]string, 0, len(q.values))
	for name := range q.values {
		names = append(names, name)
	}
	sort.Strings(names)
	return fmt.Errorf("redis: unexpected option: %s", strings.Join(names, ", "))
}

// verification takes skip_verify, which needs TLS.
func (q *query) verification(config *tls.Config) *tls.Config {
	var skip bool
	q.boolean("skip_verify", &skip)
	if skip && config == nil && q.err == nil {
		q.err = fmt.Errorf("redis: skip_verify needs rediss://")
	}
	if config != nil {
		config.InsecureSkipVerify = skip
	}
	return config
}

// ParseClusterURL makes ClusterOptions from redis://user:password@host:port?addr=host:port&..., or
// rediss:// for TLS. Each addr is one more node to start from; the other options are those of
// ParseURL without db, and max_redirects, read_only, route_by_latency and route_randomly.
func ParseClusterURL(redisURL string) (*ClusterOptions, error) {
	u, q, err := parseURL(redisURL)
	if err == nil && u.Scheme == "unix" {
		err = urlScheme(u)
	}
	if err != nil {
		return nil, err
	}
	node := &Options{}
	if err := node.urlServer(u); err != nil {
		return nil, err
	}
	if node.DB != 0 {
		return nil, fmt.Errorf("redis: a cluster has no database but 0: %s", u.Path)
	}
	o := &ClusterOptions{Addrs: append([]string{node.Addr}, q.values["addr"]...)}
	delete(q.values, "addr")
	o.Username, o.Password = urlUser(u)
	o.take(q)
	o.TLSConfig = q.verification(node.TLSConfig)
	return o, q.finish()
}
