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

func (s *settings) positive(name string, value int) {
	if value > 0 {
		s.number(name, int64(value))
	}
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
	s.connection(o)
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

// connection is what single servers and the nodes of clusters have in common. The caller's own
// choices come last.
func (s *settings) connection(o *Options) {
	s.options(o)
	// The deadline of a call is derived from those of its attempts, as in go-redis.
	s.number("command_timeout_ms", 0)
	s.milliseconds("reconnect_backoff_min_ms", min(o.DialerRetryTimeout, defaultMinBackoff))
	s.identity(o)
	s.retries(o)
	s.pool(o)
	s.named(o.CoreOptions)
}

// identity names the library in CLIENT SETINFO; an empty name sends nothing.
func (s *settings) identity(o *Options) {
	name := "tendon-go"
	if o.IdentitySuffix != "" {
		name += "(" + o.IdentitySuffix + ")"
	}
	if o.DisableIdentity || o.DisableIndentity {
		name = ""
	}
	*s = append(*s, core.Option{Name: "lib_name", Value: name})
}

func (s *settings) retries(o *Options) {
	s.number("max_retries", int64(o.MaxRetries))
	// go-redis does too; libtendon restricts it to what is safe to repeat.
	s.yes("retry_on_timeout", true)
	if o.MinRetryBackoff <= 0 || o.MaxRetryBackoff <= 0 {
		s.text("retry_strategy", "none")
		return
	}
	s.milliseconds("retry_backoff_min_ms", min(o.MinRetryBackoff, o.MaxRetryBackoff))
	s.milliseconds("retry_backoff_max_ms", o.MaxRetryBackoff)
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
	if life, jitter := o.ConnMaxLifetime, o.ConnMaxLifetimeJitter; life > 0 && jitter > 0 {
		s.number("pool_jitter_percent", min(100, int64(jitter*100/life)))
	}
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
