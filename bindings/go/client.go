// Package redis is a client for ElastiCache, Redis and Valkey with the names and types of go-redis
// v9, on top of libtendon: pooling, TLS, retries, cluster routing and failover happen in that
// library, the same way in every language. See DIFFERENCES.md for what differs from go-redis.
//
// A client is safe for use by any number of goroutines; a waiting goroutine occupies no operating
// system thread. The end of a context ends a call at once, also while its reply is awaited.
package redis

import (
	"context"
	"fmt"
	"time"

	"tendon.dev/redis/internal/core"
)

// Client talks to one server, or to a primary.
type Client struct {
	cmdable
	*hooks
	subscriber
	opt *Options
	at  place // the node, when the client is one of a cluster's; and the timeout of WithTimeout
}

// NewClient makes a client. It does not connect before the first command, except for MinIdleConns.
// What is wrong with the options is the result of every command. Nil options panic.
func NewClient(opt *Options) *Client {
	if opt == nil {
		panic("redis: NewClient needs Options, which are nil")
	}
	own := *opt
	own.fill()
	var ask credentials
	if !own.needsGo(nil) {
		ask = provider(own.CredentialsProvider, own.CredentialsProviderContext)
	}
	e := newEngine(own.connector(nil), ask, own.DialTimeout, own.Limiter, own.config)
	e.redial = own.connector
	e.deadlines(own.MaxRetries, &own)
	return newClient(e, &own, place{}, nil)
}

// newClient makes a handle of an engine, with the hooks of the one it is made from.
func newClient(e *engine, opt *Options, at place, from *hooks) *Client {
	c := &Client{subscriber: subscriber{e, at.node}, opt: opt, at: at}
	c.hooks = from.derive(steps{
		process: func(ctx context.Context, cmd Cmder) error { return e.process(ctx, at, cmd) },
		pipeline: func(ctx context.Context, cmds []Cmder) error {
			return e.processPipeline(ctx, at, cmds)
		},
		tx: func(ctx context.Context, cmds []Cmder) error { return e.processTx(ctx, at, cmds) },
	})
	c.hooks.dials = e
	c.cmdable = c.hooks.shortcut(e, at)
	return c
}

// Options are the client's, with defaults filled in. They must not be changed.
func (c *Client) Options() *Options { return c.opt }

// NodeAddress is the address the client talks to.
func (c *Client) NodeAddress() string { return c.opt.Addr }

// String shows the address and the database.
func (c *Client) String() string { return fmt.Sprintf("Redis<%s db:%d>", c.opt.Addr, c.opt.DB) }

// WithTimeout is the client with another limit for each call, on the same connections.
func (c *Client) WithTimeout(timeout time.Duration) *Client {
	opt, at := *c.opt, c.at
	opt.ReadTimeout, opt.WriteTimeout, at.timeout = timeout, timeout, timeout
	return newClient(c.engine, &opt, at, c.hooks)
}

// Close closes all connections. Commands under way fail with ErrClosed, and so do later ones and a
// second Close.
func (c *Client) Close() error {
	if c.at.node != "" {
		return nil // the connections belong to the cluster's client
	}
	return c.engine.close()
}

// Watch calls `fn` with a connection that watches keys. It does not try again by itself when they
// change.
func (c *Client) Watch(ctx context.Context, fn func(*Tx) error, keys ...string) error {
	return c.engine.watch(ctx, c.at, c.hooks, fn, keys)
}

// Conn keeps one connection from its first command to its Close.
func (c *Client) Conn() *Conn { return newConn(c.engine, c.at, c.hooks) }

// EphemeralConn is Conn: libtendon undoes what a connection was left with, so that none has to be
// thrown away for it.
func (c *Client) EphemeralConn() *Conn { return c.Conn() }

// PoolStats are the counters of the client's connections.
func (c *Client) PoolStats() *PoolStats { return c.engine.poolStats() }

// Conn is one connection, for commands that change its state.
type Conn struct {
	cmdable
	statefulCmdable
	*hooks
	on *leased
}

func newConn(e *engine, at place, from *hooks) *Conn {
	c := &Conn{on: &leased{engine: e, at: at}}
	c.hooks = from.derive(c.on.steps())
	c.cmdable, c.statefulCmdable = c.hooks.process, c.hooks.process
	return c
}

// Close gives the connection back to the pool, its state undone.
func (c *Conn) Close() error { return c.on.close() }

// String says whether a connection is held.
func (c *Conn) String() string { return c.on.String() }

// PoolStats are counters of a client's connections; those of a cluster are sums over its nodes.
type PoolStats struct {
	Hits           uint32 // commands that used a connection already open
	Misses         uint32 // connections opened
	Timeouts       uint32 // waits for a connection that ended with ErrPoolTimeout
	WaitCount      uint32 // waits for a connection
	Unusable       uint32 // connections closed because they no longer worked
	WaitDurationNs int64  // total time waited

	TotalConns      uint32 // connections open
	IdleConns       uint32 // of them idle
	StaleConns      uint32 // connections closed for their age, or for being idle too long
	PendingRequests uint32 // commands accepted and not finished

	PubSubStats PubSubStats
}

func (e *engine) poolStats() *PoolStats {
	if e == nil || e.core.Load() == nil {
		return &PoolStats{}
	}
	raw := e.core.Load().Stats()
	uses := raw.Requests + raw.Borrows
	return &PoolStats{
		Hits:            uint32(uses - min(uses, raw.Created)),
		Misses:          uint32(raw.Created),
		Timeouts:        uint32(raw.WaitTimeouts),
		WaitCount:       uint32(raw.Waits),
		Unusable:        uint32(raw.Unusable),
		WaitDurationNs:  int64(raw.WaitMicroseconds) * 1000,
		TotalConns:      raw.Open,
		IdleConns:       raw.Idle,
		StaleConns:      uint32(raw.Retired),
		PendingRequests: raw.Pending,
		PubSubStats: PubSubStats{Created: uint32(e.pubSubs.created.Load()),
			Active: uint32(e.pubSubs.active.Load())},
	}
}

// Version names the libtendon that is in use and its TLS library.
func Version() string { return fmt.Sprintf("tendon %s (%s)", core.Version(), core.TLSVersion()) }
