package redis

import (
	"fmt"
	"net"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"

	"tendon.dev/redis/internal/core"
)

// settings gathers options of libtendon in the order they are set.
type settings []core.Option

func (s *settings) text(name, value string) {
	if value != "" {
		*s = append(*s, core.Option{Name: name, Value: value})
	}
}

func (s *settings) number(name string, value int64) {
	*s = append(*s, core.Option{Name: name, Value: strconv.FormatInt(value, 10)})
}

// milliseconds rounds up, so that a short but positive time never becomes 0, which means something
// else. A negative time is "no limit", which libtendon spells 0.
func (s *settings) milliseconds(name string, value time.Duration) {
	s.number(name, max(0, ceilMillis(value)))
}

func (s *settings) yes(name string, value bool) {
	if value {
		s.text(name, "yes")
	}
}

func ceilMillis(d time.Duration) int64 {
	return int64((d + time.Millisecond - 1) / time.Millisecond)
}

// named sets the caller's own choices, in a fixed order so that the first mistake named is always
// the same.
func (s *settings) named(options map[string]string) {
	names := make([]string, 0, len(options))
	for name := range options {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		*s = append(*s, core.Option{Name: name, Value: options[name]})
	}
}

// config turns filled Options into options of libtendon. `socket` is the Unix socket on which Go
// supplies the connections, or "" when libtendon makes them.
func (o *Options) config(socket string) (settings, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	var s settings
	s.text("mode", "standalone")
	if err := s.address(o, socket); err != nil {
		return nil, err
	}
	if socket == "" {
		s.tls(o.TLSConfig)
	}
	s.number("db", int64(o.DB))
	s.text("username", o.Username)
	s.text("password", o.Password)
	s.identity(o.ClientName, o.IdentitySuffix, o.DisableIdentity || o.DisableIndentity)
	s.number("protocol", int64(o.Protocol))
	s.retries(o.MaxRetries, o.MinRetryBackoff, o.MaxRetryBackoff)
	s.timeouts(o)
	s.pool(o)
	s.named(o.CoreOptions)
	return s, nil
}

// check refuses by name what could only be ignored.
func (o *Options) check() error {
	switch {
	case o.Dialer != nil && o.TLSConfig != nil:
		return unsupported("Options.TLSConfig beside Options.Dialer",
			"a Dialer makes the whole connection; call tls.Client in it")
	case o.Protocol > 3:
		return configError(fmt.Sprintf("Options.Protocol is %d; use 2 or 3", o.Protocol))
	case o.Network != "tcp" && o.Network != "unix" && o.Dialer == nil:
		return configError(fmt.Sprintf("Options.Network is %q; use tcp or unix", o.Network))
	}
	return nil
}

func (s *settings) address(o *Options, socket string) error {
	if socket != "" {
		s.text("unix_socket", socket)
		return nil
	}
	if o.Network == "unix" {
		s.text("unix_socket", o.Addr)
		return nil
	}
	host, port, err := net.SplitHostPort(o.Addr)
	if err != nil {
		return configError(fmt.Sprintf("Options.Addr %q is not host:port", o.Addr))
	}
	if host == "" {
		host = "localhost"
	}
	s.text("host", host)
	s.text("port", port)
	return nil
}

// identity names the library in CLIENT SETINFO; an empty name sends nothing.
func (s *settings) identity(client, suffix string, disabled bool) {
	s.text("client_name", client)
	name := "tendon-go"
	if suffix != "" {
		name += "(" + suffix + ")"
	}
	if disabled {
		name = ""
	}
	*s = append(*s, core.Option{Name: "lib_name", Value: name})
}

func (s *settings) retries(retries int, least, most time.Duration) {
	s.number("max_retries", int64(retries))
	// go-redis does too; libtendon restricts it to what is safe to repeat.
	s.yes("retry_on_timeout", true)
	if least <= 0 || most <= 0 {
		s.text("retry_strategy", "none")
		return
	}
	s.milliseconds("retry_backoff_min_ms", min(least, most))
	s.milliseconds("retry_backoff_max_ms", most)
}

// timeouts leaves the deadline of a call to be derived from those of its attempts, as in go-redis.
func (s *settings) timeouts(o *Options) {
	s.milliseconds("connect_timeout_ms", o.DialTimeout)
	s.milliseconds("read_timeout_ms", o.ReadTimeout)
	s.milliseconds("write_timeout_ms", o.WriteTimeout)
	s.number("command_timeout_ms", 0)
	s.milliseconds("reconnect_backoff_min_ms", min(o.DialerRetryTimeout, defaultMinBackoff))
	s.milliseconds("reconnect_backoff_max_ms", o.DialerRetryTimeout)
}

func (s *settings) pool(o *Options) {
	size, wait := o.PoolSize, ceilMillis(o.PoolTimeout)
	// Below PoolSize the cap is what a borrower meets first, and go-redis then fails without
	// waiting.
	if o.MaxActiveConns > 0 && o.MaxActiveConns < o.PoolSize {
		size, wait = o.MaxActiveConns, 0
	}
	s.number("pool_max", int64(size))
	s.number("pool_wait_ms", max(wait, -1))
	s.number("pool_min_idle", int64(o.MinIdleConns))
	if o.MaxIdleConns > 0 {
		s.number("pool_max_idle", int64(o.MaxIdleConns))
	}
	if o.MaxConcurrentDials > 0 {
		s.number("dial_concurrency", int64(o.MaxConcurrentDials))
	}
	s.lifetimes(o.ConnMaxIdleTime, o.ConnMaxLifetime, o.ConnMaxLifetimeJitter)
}

func (s *settings) lifetimes(idle, life, jitter time.Duration) {
	s.milliseconds("pool_idle_timeout_ms", idle)
	s.milliseconds("pool_lifetime_ms", life)
	if life > 0 && jitter > 0 {
		s.number("pool_jitter_percent", min(100, int64(jitter*100/life)))
	}
}

// fields are the names by which a Go program set an option of libtendon.
var fields = map[string]string{
	"host": "Addr", "port": "Addr", "endpoints": "Addrs", "unix_socket": "Addr", "db": "DB",
	"username": "Username", "password": "Password", "client_name": "ClientName",
	"lib_name": "IdentitySuffix", "max_retries": "MaxRetries", "max_redirects": "MaxRedirects",
	"retry_backoff_min_ms": "MinRetryBackoff", "retry_backoff_max_ms": "MaxRetryBackoff",
	"connect_timeout_ms": "DialTimeout", "read_timeout_ms": "ReadTimeout",
	"write_timeout_ms": "WriteTimeout", "pool_max": "PoolSize", "pool_wait_ms": "PoolTimeout",
	"pool_min_idle": "MinIdleConns", "pool_max_idle": "MaxIdleConns",
	"pool_idle_timeout_ms": "ConnMaxIdleTime", "pool_lifetime_ms": "ConnMaxLifetime",
	"tls_server_name": "TLSConfig.ServerName",
}

var quotedOption = regexp.MustCompile(`^option '([a-z_]+)'`)

// optionError adds the field's name to an error that names an option of libtendon.
func optionError(failure *core.Failure) *ClientError {
	e := plainError(failure)
	if found := quotedOption.FindStringSubmatch(e.Message); found != nil && fields[found[1]] != "" {
		e.Message = "Options." + fields[found[1]] + ": " + e.Message
	}
	return e
}

// endpoints joins seeds for libtendon.
func endpoints(addrs []string) (string, error) {
	for _, addr := range addrs {
		if _, _, err := net.SplitHostPort(addr); err != nil || strings.Contains(addr, ",") {
			return "",
				configError(fmt.Sprintf("ClusterOptions.Addrs has %q, not host:port", addr))
		}
	}
	return strings.Join(addrs, ","), nil
}
