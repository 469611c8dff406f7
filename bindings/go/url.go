package redis

import (
	"crypto/tls"
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
	u, err := url.Parse(redisURL)
	if err != nil {
		// The parser's own error quotes the URL, and with it the password.
		return nil, fmt.Errorf("redis: malformed URL: %w", urlCause(err))
	}
	o := &Options{}
	if u.User != nil {
		o.Username = u.User.Username()
		o.Password, _ = u.User.Password()
	}
	switch u.Scheme {
	case "redis", "rediss":
		err = o.urlServer(u)
	case "unix":
		err = o.urlSocket(u)
	default:
		return nil, fmt.Errorf("redis: invalid URL scheme: %s", u.Scheme)
	}
	if err != nil {
		return nil, err
	}
	if err := o.urlQuery(u); err != nil {
		return nil, err
	}
	return o, nil
}

func urlCause(err error) error {
	if wrapped, ok := err.(*url.Error); ok {
		return wrapped.Err
	}
	return err
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

func (o *Options) urlQuery(u *url.URL) error {
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return fmt.Errorf("redis: malformed URL query: %w", err)
	}
	q := &query{values: values}
	q.number("db", &o.DB)
	o.shared(q)
	o.TLSConfig = q.verification(o.TLSConfig)
	return q.finish()
}

// shared takes the options that a single server and a cluster have in common.
func (o *Options) shared(q *query) {
	q.number("protocol", &o.Protocol)
	q.text("client_name", &o.ClientName)
	q.number("max_retries", &o.MaxRetries)
	q.duration("min_retry_backoff", &o.MinRetryBackoff)
	q.duration("max_retry_backoff", &o.MaxRetryBackoff)
	q.duration("dial_timeout", &o.DialTimeout)
	q.duration("dialer_retry_timeout", &o.DialerRetryTimeout)
	q.duration("read_timeout", &o.ReadTimeout)
	q.duration("write_timeout", &o.WriteTimeout)
	q.number("pool_size", &o.PoolSize)
	q.duration("pool_timeout", &o.PoolTimeout)
	q.number("min_idle_conns", &o.MinIdleConns)
	q.number("max_idle_conns", &o.MaxIdleConns)
	q.number("max_active_conns", &o.MaxActiveConns)
	q.number("max_concurrent_dials", &o.MaxConcurrentDials)
	q.duration("idle_timeout", &o.ConnMaxIdleTime)
	q.duration("conn_max_idle_time", &o.ConnMaxIdleTime)
	q.duration("max_conn_age", &o.ConnMaxLifetime)
	q.duration("conn_max_lifetime", &o.ConnMaxLifetime)
	q.duration("conn_max_lifetime_jitter", &o.ConnMaxLifetimeJitter)
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
	u, err := url.Parse(redisURL)
	if err != nil {
		return nil, fmt.Errorf("redis: malformed URL: %w", urlCause(err))
	}
	if u.Scheme != "redis" && u.Scheme != "rediss" {
		return nil, fmt.Errorf("redis: invalid URL scheme: %s", u.Scheme)
	}
	node := &Options{}
	if err := node.urlServer(u); err != nil {
		return nil, err
	}
	if node.DB != 0 {
		return nil, fmt.Errorf("redis: a cluster has no database but 0: %s", u.Path)
	}
	o := &ClusterOptions{Addrs: []string{node.Addr}}
	if u.User != nil {
		o.Username = u.User.Username()
		o.Password, _ = u.User.Password()
	}
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, fmt.Errorf("redis: malformed URL query: %w", err)
	}
	o.Addrs = append(o.Addrs, values["addr"]...)
	delete(values, "addr")
	q := &query{values: values}
	q.number("max_redirects", &o.MaxRedirects)
	q.boolean("read_only", &o.ReadOnly)
	q.boolean("route_by_latency", &o.RouteByLatency)
	q.boolean("route_randomly", &o.RouteRandomly)
	node.shared(q)
	node.TLSConfig = q.verification(node.TLSConfig)
	o.take(node)
	return o, q.finish()
}

// take sets what every node's connections share.
func (o *ClusterOptions) take(node *Options) {
	o.Protocol, o.ClientName, o.TLSConfig = node.Protocol, node.ClientName, node.TLSConfig
	o.MaxRetries, o.MinRetryBackoff = node.MaxRetries, node.MinRetryBackoff
	o.MaxRetryBackoff, o.DialTimeout = node.MaxRetryBackoff, node.DialTimeout
	o.DialerRetryTimeout, o.ReadTimeout = node.DialerRetryTimeout, node.ReadTimeout
	o.WriteTimeout, o.PoolSize = node.WriteTimeout, node.PoolSize
	o.PoolTimeout, o.MinIdleConns = node.PoolTimeout, node.MinIdleConns
	o.MaxIdleConns, o.MaxActiveConns = node.MaxIdleConns, node.MaxActiveConns
	o.MaxConcurrentDials, o.ConnMaxIdleTime = node.MaxConcurrentDials, node.ConnMaxIdleTime
	o.ConnMaxLifetime = node.ConnMaxLifetime
	o.ConnMaxLifetimeJitter = node.ConnMaxLifetimeJitter
}
