package redis

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"tendon.dev/redis/internal/core"
)

// perNode is what every node's connections share, filled in.
func (o *ClusterOptions) perNode() *Options {
	node := o.node()
	orDefault(&node.MaxRetries, o.MaxRedirects)
	orDefault(&node.PoolSize, 5*runtime.GOMAXPROCS(0))
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
	redirects, interval := o.MaxRedirects, o.ClusterStateReloadInterval
	orNone(&redirects, defaultRedirects)
	s.number("max_redirects", int64(redirects))
	orNone(&interval, defaultClusterState)
	s.milliseconds("cluster_refresh_interval_ms", interval)
	s.tls(o.TLSConfig)
	s.connection(node)
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
	subscriber
	opt *ClusterOptions

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
	node := own.perNode()
	ask := provider(own.CredentialsProvider, own.CredentialsProviderContext)
	e := newEngine(nil, ask, 0, nil, func(string) (settings, error) { return own.config(node) })
	e.deadlines(node.MaxRetries+max(own.MaxRedirects, defaultRedirects), node)
	c := &ClusterClient{subscriber: subscriber{engine: e}, opt: &own, nodes: map[string]*Client{}}
	c.hooks = (*hooks)(nil).derive(steps{
		process: func(ctx context.Context, cmd Cmder) error {
			return e.process(ctx, place{}, cmd)
		},
		pipeline: func(ctx context.Context, cmds []Cmder) error {
			return e.processPipeline(ctx, place{}, cmds)
		},
		tx: func(ctx context.Context, cmds []Cmder) error {
			return blamed(cmds, e.processTx(ctx, place{}, cmds))
		},
	})
	c.cmdable = c.hooks.shortcut(e, place{})
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
