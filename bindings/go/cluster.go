package redis

import (
	"context"
	"crypto/tls"
	"fmt"
	"runtime"
	"strings"
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
	ConnMaxIdleTime       time.Duration
	ConnMaxLifetime       time.Duration
	ConnMaxLifetimeJitter time.Duration

	// TLSConfig may set ServerName, InsecureSkipVerify and MinVersion; any other field fails every
	// command. Files of certificates are given by CoreOptions: tls_ca_file, tls_cert_file,
	// tls_key_file.
	TLSConfig *tls.Config

	DisableIdentity bool
	IdentitySuffix  string

	// ClusterStateReloadInterval is the time between refreshes of the cluster map, default 60 s.
	ClusterStateReloadInterval time.Duration

	// CoreOptions are set last, by the names of docs/options.md, and reach what no field above
	// does.
	CoreOptions map[string]string

	refused error // what NewUniversalClient could not carry over
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
		ConnMaxIdleTime: o.ConnMaxIdleTime,
		ConnMaxLifetime: o.ConnMaxLifetime, ConnMaxLifetimeJitter: o.ConnMaxLifetimeJitter,
		TLSConfig: o.TLSConfig, DisableIdentity: o.DisableIdentity,
		IdentitySuffix: o.IdentitySuffix,
	}
	if node.PoolSize == 0 {
		node.PoolSize = 5 * runtime.GOMAXPROCS(0)
	}
	node.fill()
	return node
}

func (o *ClusterOptions) config(node *Options) (settings, error) {
	switch names := unmappable(o.TLSConfig); {
	case o.refused != nil:
		return nil, o.refused
	case len(o.Addrs) == 0:
		return nil, configError("cluster has no nodes; ClusterOptions.Addrs is empty")
	case o.RouteByLatency:
		return nil, unsupported("ClusterOptions.RouteByLatency", "use ReadOnly or RouteRandomly")
	case len(names) > 0:
		return nil, unmappableError("ClusterOptions.TLSConfig", names)
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
	s.identity(o.ClientName, o.IdentitySuffix, o.DisableIdentity)
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
	engine *engine
	opt    *ClusterOptions
}

// NewClusterClient makes a client of a cluster. It does not connect before the first command. What
// is wrong with the options is the result of every command. Nil options panic.
func NewClusterClient(opt *ClusterOptions) *ClusterClient {
	if opt == nil {
		panic("redis: NewClusterClient needs ClusterOptions, which are nil")
	}
	own := *opt
	node := own.node()
	c := &ClusterClient{opt: &own}
	c.engine = newEngine(nil, 0, nil, func(string) (settings, error) { return own.config(node) })
	c.engine.deadlines(node.MaxRetries+max(own.MaxRedirects, defaultRetries), node.DialTimeout,
		node.ReadTimeout,
		node.WriteTimeout, node.PoolTimeout, node.MaxRetryBackoff)
	c.cmdable = c.Process
	return c
}

// Options are the client's. They must not be changed.
func (c *ClusterClient) Options() *ClusterOptions { return c.opt }

// Process runs a command made by one of the New...Cmd functions.
func (c *ClusterClient) Process(ctx context.Context, cmd Cmder) error {
	return c.engine.process(ctx, place{}, cmd)
}

// Close closes all connections. Commands under way and later ones fail with ErrClosed.
func (c *ClusterClient) Close() error {
	if err := c.engine.close(); err != ErrClosed {
		return err
	}
	return nil
}

// Pipeline queues commands to send them together, each to its node.
func (c *ClusterClient) Pipeline() Pipeliner {
	return newPipeline(func(ctx context.Context, cmds []Cmder) error {
		return c.engine.processPipeline(ctx, place{}, cmds)
	})
}

// Pipelined sends what `fn` queues, and nothing when `fn` fails.
func (c *ClusterClient) Pipelined(ctx context.Context, fn func(Pipeliner) error) ([]Cmder, error) {
	return pipelined(ctx, c.Pipeline(), fn)
}

// TxPipeline queues commands to run as one transaction. All keys must be in one slot.
func (c *ClusterClient) TxPipeline() Pipeliner {
	return newPipeline(func(ctx context.Context, cmds []Cmder) error {
		return c.engine.processTx(ctx, place{}, cmds)
	})
}

// TxPipelined runs what `fn` queues as one transaction, and nothing when `fn` fails.
func (c *ClusterClient) TxPipelined(ctx context.Context, fn func(Pipeliner) error) ([]Cmder,
	error) {
	return pipelined(ctx, c.TxPipeline(), fn)
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
	return c.engine.watch(ctx, "", fn, keys)
}

// PoolStats are the counters of the connections to all nodes.
func (c *ClusterClient) PoolStats() *PoolStats { return c.engine.poolStats() }

// DBSize is the number of keys of all primaries.
func (c *ClusterClient) DBSize(ctx context.Context) *IntCmd {
	cmd := NewIntCmd(ctx, "dbsize")
	var mutex sync.Mutex
	cmd.SetErr(c.ForEachMaster(ctx, func(ctx context.Context, node *Client) error {
		size, err := node.DBSize(ctx).Result()
		mutex.Lock()
		defer mutex.Unlock()
		cmd.val += size
		return err
	}))
	if cmd.err != nil {
		cmd.val = 0
	}
	return cmd
}

// ForEachMaster calls `fn` for each primary at the same time and returns the first error.
func (c *ClusterClient) ForEachMaster(ctx context.Context, fn func(context.Context,
	*Client) error) error {
	return c.forEach(ctx, "primary", fn)
}

// ForEachSlave calls `fn` for each replica at the same time and returns the first error.
func (c *ClusterClient) ForEachSlave(ctx context.Context, fn func(context.Context,
	*Client) error) error {
	return c.forEach(ctx, "replica", fn)
}

// ForEachShard calls `fn` for each known node at the same time and returns the first error.
func (c *ClusterClient) ForEachShard(ctx context.Context, fn func(context.Context,
	*Client) error) error {
	return c.forEach(ctx, "", fn)
}

func (c *ClusterClient) forEach(ctx context.Context, role string, fn func(context.Context,
	*Client) error) error {
	nodes, err := c.nodes(ctx, role)
	if err != nil {
		return err
	}
	errs := make(chan error, len(nodes))
	for _, node := range nodes {
		go func() { errs <- fn(ctx, nodeClient(c.engine, node)) }()
	}
	var first error
	for range nodes {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	return first
}

// nodes lists the addresses of a role, or of all when it is empty. The map is known after one
// command.
func (c *ClusterClient) nodes(ctx context.Context, role string) ([]string, error) {
	if err := c.Ping(ctx).Err(); err != nil {
		return nil, err
	}
	text, failure := c.engine.core.Nodes()
	if failure != nil {
		return nil, callError(ctx, failure, false)
	}
	var nodes []string
	for _, line := range strings.Split(text, "\n") {
		if words := strings.Fields(line); len(words) >= 2 && (role == "" || words[1] == role) {
			nodes = append(nodes, words[0])
		}
	}
	return nodes, nil
}
