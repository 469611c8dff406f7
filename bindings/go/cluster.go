package redis

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"runtime"
	"sync"
	"time"

	"tendon.dev/redis/internal/core"
)

// ClusterOptions configure a ClusterClient. Fields also in Options mean the same there.
type ClusterOptions struct {
	// Addrs are nodes to start from, or one configuration endpoint.
	Addrs []string
	// ClientName is set with CLIENT SETNAME on every connection.
	ClientName string
	// MaxRedirects is how many MOVED and ASK a command follows, and how often it is tried again
	// unless MaxRetries says otherwise; default 3, -1 means none.
	MaxRedirects int
	// ReadOnly lets read-only commands go to replicas.
	ReadOnly bool
	// RouteRandomly spreads read-only commands over primary and replicas.
	RouteRandomly bool
	// RouteByLatency is not supported. Setting it fails every command.
	RouteByLatency bool

	Protocol int
	Username string
	Password string

	// CredentialsProvider is asked for Username and Password before the first command, and again
	// when a login fails.
	CredentialsProvider func() (username, password string)
	// CredentialsProviderContext is CredentialsProvider with a context; it wins over that one.
	CredentialsProviderContext func(ctx context.Context) (username, password string, err error)
	// Dialer and OnConnect are for a single server only: libtendon makes the connections of a
	// cluster. Setting one fails every command.
	Dialer    func(ctx context.Context, network, addr string) (net.Conn, error)
	OnConnect func(ctx context.Context, cn *Conn) error

	// MaxRetries is how often a command is tried again, default MaxRedirects; -1 means never.
	MaxRetries            int
	MinRetryBackoff       time.Duration
	MaxRetryBackoff       time.Duration
	DialTimeout           time.Duration
	DialerRetryTimeout    time.Duration
	ReadTimeout           time.Duration
	WriteTimeout          time.Duration
	ContextTimeoutEnabled bool

	// PoolSize is the most connections to one node, default 5 for each processor Go uses.
	PoolSize              int
	PoolTimeout           time.Duration
	MinIdleConns          int
	MaxIdleConns          int
	MaxActiveConns        int
	MaxConcurrentDials    int
	ConnMaxIdleTime       time.Duration
	ConnMaxLifetime       time.Duration
	ConnMaxLifetimeJitter time.Duration

	// TLSConfig may set ServerName, InsecureSkipVerify and MinVersion; any other field fails every
	// command. Files of certificates are given by CoreOptions: tls_ca_file, tls_cert_file,
	// tls_key_file.
	TLSConfig *tls.Config

	DisableIdentity bool
	// DisableIndentity is DisableIdentity as it was once misspelt.
	DisableIndentity bool
	// UnstableResp3 exists for compatibility and changes nothing, in go-redis neither.
	UnstableResp3  bool
	IdentitySuffix string

	// ClusterStateReloadInterval is the time between refreshes of the cluster map, default 60 s.
	ClusterStateReloadInterval time.Duration

	// CoreOptions are set last, by the names of docs/options.md, and reach what no field above
	// does.
	CoreOptions map[string]string
}

// node is the part of the options that every node's connections share, filled in.
func (o *ClusterOptions) node() *Options {
	retries := o.MaxRetries
	if retries == 0 {
		retries = o.MaxRedirects
	}
	node := &Options{
		ClientName: o.ClientName, Protocol: o.Protocol, Username: o.Username, Password: o.Password,
		MaxRetries: retries, MinRetryBackoff: o.MinRetryBackoff, MaxRetryBackoff: o.MaxRetryBackoff,
		DialTimeout: o.DialTimeout, DialerRetryTimeout: o.DialerRetryTimeout,
		ReadTimeout: o.ReadTimeout, WriteTimeout: o.WriteTimeout,
		PoolSize: o.PoolSize, PoolTimeout: o.PoolTimeout, MinIdleConns: o.MinIdleConns,
		MaxIdleConns: o.MaxIdleConns, MaxActiveConns: o.MaxActiveConns,
		MaxConcurrentDials: o.MaxConcurrentDials,
		ConnMaxIdleTime:    o.ConnMaxIdleTime,
		ConnMaxLifetime:    o.ConnMaxLifetime, ConnMaxLifetimeJitter: o.ConnMaxLifetimeJitter,
		TLSConfig: o.TLSConfig, DisableIdentity: o.DisableIdentity || o.DisableIndentity,
		IdentitySuffix: o.IdentitySuffix,
	}
	if node.PoolSize == 0 {
		node.PoolSize = 5 * runtime.GOMAXPROCS(0)
	}
	node.fill()
	return node
}

// refuse names what a cluster's client cannot honour.
func (o *ClusterOptions) refuse() error {
	for _, field := range []struct {
		name string
		set  bool
	}{
		{"Dialer", o.Dialer != nil}, {"OnConnect", o.OnConnect != nil},
	} {
		if field.set {
			return unsupported("ClusterOptions."+field.name, "libtendon makes the connections "+
				"of a cluster itself; use Username, Password and ClientName")
		}
	}
	return nil
}

func (o *ClusterOptions) config(node *Options) (settings, error) {
	switch names := unmappable(o.TLSConfig); {
	case len(o.Addrs) == 0:
		return nil, configError("cluster has no nodes; ClusterOptions.Addrs is empty")
	case o.RouteByLatency:
		return nil, unsupported("ClusterOptions.RouteByLatency", "use ReadOnly or RouteRandomly")
	case len(names) > 0:
		return nil, unmappableError("ClusterOptions.TLSConfig", names)
	}
	if err := o.refuse(); err != nil {
		return nil, err
	}
	if err := node.check(); err != nil {
		return nil, err
	}
	seeds, err := endpoints(o.Addrs)
	if err != nil {
		return nil, err
	}
	var s settings
	s.text("mode", "cluster")
	s.text("endpoints", seeds)
	s.text("read_from", o.readFrom())
	s.tls(o.TLSConfig)
	s.text("username", o.Username)
	s.text("password", o.Password)
	s.identity(o.ClientName, o.IdentitySuffix, o.DisableIdentity || o.DisableIndentity)
	s.number("protocol", int64(node.Protocol))
	redirects := o.MaxRedirects
	fillRetries(&redirects, defaultRetries)
	s.number("max_redirects", int64(redirects))
	s.retries(node.MaxRetries, node.MinRetryBackoff, node.MaxRetryBackoff)
	s.timeouts(node)
	s.pool(node)
	interval := o.ClusterStateReloadInterval
	fillDuration(&interval, defaultClusterState)
	s.milliseconds("cluster_refresh_interval_ms", interval)
	s.named(o.CoreOptions)
	return s, nil
}

func (o *ClusterOptions) readFrom() string {
	switch {
	case o.RouteRandomly:
		return "any"
	case o.ReadOnly:
		return "replica"
	}
	return "primary"
}

// ClusterClient talks to a cluster: each command goes to the node that has its keys.
type ClusterClient struct {
	cmdable
	*hooks
	engine *engine
	opt    *ClusterOptions

	mutex     sync.Mutex
	nodes     map[string]*Client // by address
	onNewNode []func(*Client)
}

// NewClusterClient makes a client of a cluster. It does not connect before the first command. What
// is wrong with the options is the result of every command. Nil options panic.
func NewClusterClient(opt *ClusterOptions) *ClusterClient {
	if opt == nil {
		panic("redis: NewClusterClient needs ClusterOptions, which are nil")
	}
	own := *opt
	node := own.node()
	ask := provider(own.CredentialsProvider, own.CredentialsProviderContext)
	e := newEngine(nil, ask, 0, nil, func(string) (settings, error) { return own.config(node) })
	e.deadlines(node.MaxRetries+max(own.MaxRedirects, defaultRetries), node.DialTimeout,
		node.ReadTimeout,
		node.WriteTimeout, node.PoolTimeout, node.MaxRetryBackoff)
	c := &ClusterClient{engine: e, opt: &own, nodes: map[string]*Client{}}
	c.hooks = (*hooks)(nil).derive(steps{
		process: func(ctx context.Context, cmd Cmder) error {
			return e.process(ctx, place{}, cmd)
		},
		pipeline: func(ctx context.Context, cmds []Cmder) error {
			return e.processPipeline(ctx, place{}, cmds)
		},
		tx: func(ctx context.Context, cmds []Cmder) error {
			return e.processTx(ctx, place{}, cmds)
		},
	})
	c.cmdable = c.hooks.process
	return c
}

// Options are the client's. They must not be changed.
func (c *ClusterClient) Options() *ClusterOptions { return c.opt }

// Close closes all connections. Commands under way and later ones fail with ErrClosed.
func (c *ClusterClient) Close() error {
	if err := c.engine.close(); err != ErrClosed {
		return err
	}
	return nil
}

// Watch calls `fn` with a connection that watches keys, all of one slot.
func (c *ClusterClient) Watch(ctx context.Context, fn func(*Tx) error, keys ...string) error {
	if len(keys) == 0 {
		return fmt.Errorf("redis: Watch requires at least one key")
	}
	for _, key := range keys[1:] {
		if core.KeySlot(key) != core.KeySlot(keys[0]) {
			return fmt.Errorf("redis: Watch requires all keys to be in the same slot")
		}
	}
	return c.engine.watch(ctx, place{}, c.hooks, fn, keys)
}

// PoolStats are the counters of the connections to all nodes.
func (c *ClusterClient) PoolStats() *PoolStats { return c.engine.poolStats() }
