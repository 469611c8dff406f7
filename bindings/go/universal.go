package redis

// Cluster makes ClusterOptions of what applies to a cluster.
func (o *UniversalOptions) Cluster() *ClusterOptions {
	own := o.cluster()
	own.Addrs = o.addrs()
	return own
}

// Simple makes Options of what applies to a single server.
func (o *UniversalOptions) Simple() *Options {
	own := o.simple()
	own.Addr = o.addrs()[0]
	return own
}

func (o *UniversalOptions) addrs() []string {
	if len(o.Addrs) == 0 {
		return []string{"127.0.0.1:6379"}
	}
	return o.Addrs
}

// NewUniversalClient makes a ClusterClient for several addresses or with IsClusterMode, else a
// Client. Nil options panic.
func NewUniversalClient(opts *UniversalOptions) UniversalClient {
	if opts == nil {
		panic("redis: NewUniversalClient needs UniversalOptions, which are nil")
	}
	if opts.IsClusterMode || len(opts.Addrs) > 1 {
		return NewClusterClient(opts.Cluster())
	}
	return NewClient(opts.Simple())
}
