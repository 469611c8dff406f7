package redis

import (
	"context"
	"crypto/tls"
	"net"
	"runtime"
	"strings"
	"time"
)

// Limiter is asked before each command or pipeline and told its result, for circuit breakers.
type Limiter interface {
	// Allow returns nil when the operation may run; any other error is the operation's result.
	Allow() error
	// ReportResult is told how an allowed operation ended.
	ReportResult(result error)
}

// Options configure a Client. The zero value of a field means its default. All durations are
// honoured to the millisecond, rounded up.
type Options struct {
	// Network is "tcp" (default) or "unix"; an Addr that begins with "/" means "unix".
	Network string
	// Addr is host:port, default "localhost:6379", or the path of a Unix socket.
	Addr string
	// ClientName is set with CLIENT SETNAME on every connection.
	ClientName string
	// Dialer makes the connections instead of libtendon, TLS included. It runs at every connect.
	Dialer func(ctx context.Context, network, addr string) (net.Conn, error)
	// OnConnect is called with each new connection, after it has logged in and before DB is
	// selected; an error of it fails the connection. Go then makes the connections.
	OnConnect func(ctx context.Context, cn *Conn) error
	// Protocol is the RESP version, 2 or 3 (default).
	Protocol int
	// Username of the ACL user, default "default".
	Username string
	// Password of the user; empty means no authentication.
	Password string
	// CredentialsProvider is asked for Username and Password before the first command, and again
	// when a login fails; at every connect where Go makes the connections.
	CredentialsProvider func() (username, password string)
	// CredentialsProviderContext is CredentialsProvider with a context; it wins over that one.
	CredentialsProviderContext func(ctx context.Context) (username, password string, err error)
	// DB is selected on every connection.
	DB int

	// MaxRetries is how often a command is tried again, default 3; -1 means never. A command that
	// may have been executed is tried again only when it is read-only or idempotent.
	MaxRetries int
	// MinRetryBackoff is the first wait between tries, default 8 ms; -1 means no wait.
	MinRetryBackoff time.Duration
	// MaxRetryBackoff is the longest wait between tries, default 512 ms; -1 means no wait.
	MaxRetryBackoff time.Duration

	// DialTimeout bounds resolving, connecting, TLS and the handshake together, default 5 s.
	DialTimeout time.Duration
	// DialerRetryTimeout is the longest pause before a server that could not be reached is dialled
	// again, default 100 ms. Each failed dial uses up one of the MaxRetries of every command that
	// waits for it.
	DialerRetryTimeout time.Duration
	// ReadTimeout bounds the wait for a reply, default 3 s; -1 means no limit.
	ReadTimeout time.Duration
	// WriteTimeout bounds the sending of a command, default ReadTimeout; -1 means no limit.
	WriteTimeout time.Duration
	// ContextTimeoutEnabled exists for compatibility: deadlines and cancellation always end a call.
	ContextTimeoutEnabled bool

	// PoolSize is the most connections, default 10 for each processor Go uses.
	PoolSize int
	// PoolTimeout is the longest wait for a connection, default ReadTimeout plus 1 s.
	PoolTimeout time.Duration
	// MinIdleConns are kept ready, default none.
	MinIdleConns int
	// MaxIdleConns are kept at most, default no limit but PoolSize.
	MaxIdleConns int
	// MaxActiveConns, when reached, fails with ErrPoolExhausted instead of waiting. Default no
	// limit.
	MaxActiveConns int
	// MaxConcurrentDials is how many connections are opened at the same time, default 4.
	MaxConcurrentDials int
	// ConnMaxIdleTime closes a connection idle for so long, default 30 min; -1 means never.
	ConnMaxIdleTime time.Duration
	// ConnMaxLifetime replaces a connection at this age, default never.
	ConnMaxLifetime time.Duration
	// ConnMaxLifetimeJitter spreads ConnMaxLifetime by up to so much either way.
	ConnMaxLifetimeJitter time.Duration

	// TLSConfig turns TLS on. ServerName, InsecureSkipVerify and MinVersion are handed to
	// libtendon; with any other field set, Go's crypto/tls makes the connections with exactly this
	// configuration.
	TLSConfig *tls.Config

	// Limiter may refuse operations before they start.
	Limiter Limiter

	// DisableIdentity sends no CLIENT SETINFO.
	DisableIdentity bool
	// DisableIndentity is DisableIdentity as it was once misspelt.
	DisableIndentity bool
	// UnstableResp3 exists for compatibility and changes nothing, in go-redis neither.
	UnstableResp3 bool
	// IdentitySuffix is appended to the library name in CLIENT SETINFO.
	IdentitySuffix string

	// CoreOptions are set last, by the names of docs/options.md, and reach what no field above
	// does.
	CoreOptions map[string]string
}

// Defaults of go-redis, which programs written for it rely on.
const (
	defaultRetries      = 3
	defaultMinBackoff   = 8 * time.Millisecond
	defaultMaxBackoff   = 512 * time.Millisecond
	defaultDialTimeout  = 5 * time.Second
	defaultDialPause    = 100 * time.Millisecond
	defaultReadTimeout  = 3 * time.Second
	defaultPoolTimeout  = 30 * time.Second // when reads have no limit
	defaultMaxIdleTime  = 30 * time.Minute
	defaultClusterState = 60 * time.Second
)

// fill sets defaults in place, as callers of Options() expect to read them back.
func (o *Options) fill() {
	if o.Addr == "" {
		o.Addr = "localhost:6379"
	}
	if o.Network == "" {
		o.Network = "tcp"
		if strings.HasPrefix(o.Addr, "/") {
			o.Network = "unix"
		}
	}
	if o.Protocol < 2 {
		o.Protocol = 3
	}
	if o.PoolSize == 0 {
		o.PoolSize = 10 * runtime.GOMAXPROCS(0)
	}
	fillRetries(&o.MaxRetries, defaultRetries)
	fillDuration(&o.MinRetryBackoff, defaultMinBackoff)
	fillDuration(&o.MaxRetryBackoff, defaultMaxBackoff)
	if o.DialTimeout == 0 {
		o.DialTimeout = defaultDialTimeout
	}
	fillDuration(&o.DialerRetryTimeout, defaultDialPause)
	fillTimeouts(&o.ReadTimeout, &o.WriteTimeout, &o.PoolTimeout)
	if o.ConnMaxIdleTime == 0 {
		o.ConnMaxIdleTime = defaultMaxIdleTime
	}
}

// fillRetries: 0 asks for the default and -1 for none.
func fillRetries(retries *int, fallback int) {
	switch *retries {
	case 0:
		*retries = fallback
	case -1:
		*retries = 0
	}
}

func fillDuration(value *time.Duration, fallback time.Duration) {
	switch *value {
	case 0:
		*value = fallback
	case -1:
		*value = 0
	}
}

// fillTimeouts leaves "no limit" as a negative number, since 0 must keep meaning the default.
func fillTimeouts(read, write, pool *time.Duration) {
	if *read == 0 {
		*read = defaultReadTimeout
	}
	if *write == 0 {
		*write = *read
	}
	if *pool == 0 {
		*pool = defaultPoolTimeout
		if *read > 0 {
			*pool = *read + time.Second
		}
	}
}
