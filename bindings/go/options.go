package redis

import (
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

// Defaults that depend on other options.
const (
	defaultMinBackoff   = 8 * time.Millisecond
	defaultPoolTimeout  = 30 * time.Second // when reads have no limit
	defaultRedirects    = 3
	defaultClusterState = 60 * time.Second
)

// fill sets defaults in place, as callers of Options() expect to read them back. "No limit" stays a
// negative number where 0 must keep meaning the default.
func (o *Options) fill() {
	orDefault(&o.Addr, "localhost:6379")
	if strings.HasPrefix(o.Addr, "/") {
		orDefault(&o.Network, "unix")
	}
	orDefault(&o.Network, "tcp")
	if o.Protocol < 2 {
		o.Protocol = 3
	}
	o.defaults()
	if o.ReadTimeout > 0 {
		orDefault(&o.PoolTimeout, o.ReadTimeout+time.Second)
	}
	orDefault(&o.PoolTimeout, defaultPoolTimeout)
}

// orDefault: the zero value asks for the default.
func orDefault[T comparable](value *T, fallback T) {
	var zero T
	if *value == zero {
		*value = fallback
	}
}

// orNone: 0 asks for the default and -1 for none.
func orNone[T ~int | ~int64](value *T, fallback T) {
	switch *value {
	case 0:
		*value = fallback
	case -1:
		*value = 0
	}
}
