package redis

import (
	"context"
	"crypto/tls"
	"net"
	"time"
)

// UniversalOptions configure NewUniversalClient. Fields also in Options or ClusterOptions mean the
// same.
type UniversalOptions struct {
	// Addrs is one address, or several nodes of a cluster; default "127.0.0.1:6379".
	Addrs      []string
	ClientName string
	// DB is for a single server only.
	DB int
	// Dialer is for a single server only.
	Dialer    func(ctx context.Context, network, addr string) (net.Conn, error)
	OnConnect func(ctx context.Context, cn *Conn) error

	Protocol                   int
	Username                   string
	Password                   string
	CredentialsProvider        func() (username, password string)
	CredentialsProviderContext func(ctx context.Context) (username, password string, err error)

	MaxRetries            int
	MinRetryBackoff       time.Duration
	MaxRetryBackoff       time.Duration
	DialTimeout           time.Duration
	DialerRetryTimeout    time.Duration
	ReadTimeout           time.Duration
	WriteTimeout          time.Duration
	ContextTimeoutEnabled bool

	PoolSize              int
	PoolTimeout           time.Duration
	MinIdleConns          int
	MaxIdleConns          int
	MaxActiveConns        int
	MaxConcurrentDials    int
	ConnMaxIdleTime       time.Duration
	ConnMaxLifetime       time.Duration
	ConnMaxLifetimeJitter time.Duration

	TLSConfig *tls.Config

	// The next are for clusters only.
	MaxRedirects   int
	ReadOnly       bool
	RouteByLatency bool
	RouteRandomly  bool
	// IsClusterMode makes a client of a cluster from one address, such as a configuration endpoint.
	IsClusterMode bool

	DisableIdentity bool
	// DisableIndentity is DisableIdentity as it was once misspelt.
	DisableIndentity bool
	// UnstableResp3 exists for compatibility and changes nothing, in go-redis neither.
	UnstableResp3  bool
	IdentitySuffix string

	CoreOptions map[string]string
}

// Cluster makes ClusterOptions of what applies to a cluster.
func (o *UniversalOptions) Cluster() *ClusterOptions {
	return &ClusterOptions{
		Addrs: o.addrs(), ClientName: o.ClientName, Protocol: o.Protocol, Username: o.Username,
		Password: o.Password, MaxRedirects: o.MaxRedirects, ReadOnly: o.ReadOnly,
		RouteByLatency: o.RouteByLatency, RouteRandomly: o.RouteRandomly, MaxRetries: o.MaxRetries,
		MinRetryBackoff: o.MinRetryBackoff, MaxRetryBackoff: o.MaxRetryBackoff,
		DialTimeout: o.DialTimeout, DialerRetryTimeout: o.DialerRetryTimeout,

		ReadTimeout: o.ReadTimeout, WriteTimeout: o.WriteTimeout, PoolSize: o.PoolSize,
		ContextTimeoutEnabled: o.ContextTimeoutEnabled, PoolTimeout: o.PoolTimeout,
		MinIdleConns: o.MinIdleConns, MaxIdleConns: o.MaxIdleConns,
		MaxActiveConns:  o.MaxActiveConns,
		ConnMaxIdleTime: o.ConnMaxIdleTime, ConnMaxLifetime: o.ConnMaxLifetime,
		ConnMaxLifetimeJitter: o.ConnMaxLifetimeJitter, TLSConfig: o.TLSConfig,
		DisableIdentity: o.DisableIdentity || o.DisableIndentity, IdentitySuffix: o.IdentitySuffix,
		CoreOptions: o.CoreOptions,
		Dialer:      o.Dialer, OnConnect: o.OnConnect, CredentialsProvider: o.CredentialsProvider,
		CredentialsProviderContext: o.CredentialsProviderContext,
		MaxConcurrentDials:         o.MaxConcurrentDials,
	}
}

// Simple makes Options of what applies to a single server.
func (o *UniversalOptions) Simple() *Options {
	return &Options{
		Addr: o.addrs()[0], ClientName: o.ClientName, DB: o.DB, Dialer: o.Dialer,
		OnConnect: o.OnConnect,
		Protocol:  o.Protocol, Username: o.Username, Password: o.Password, MaxRetries: o.MaxRetries,
		MinRetryBackoff: o.MinRetryBackoff, MaxRetryBackoff: o.MaxRetryBackoff,
		DialTimeout: o.DialTimeout, DialerRetryTimeout: o.DialerRetryTimeout,

		ReadTimeout: o.ReadTimeout, WriteTimeout: o.WriteTimeout, PoolSize: o.PoolSize,
		ContextTimeoutEnabled: o.ContextTimeoutEnabled, PoolTimeout: o.PoolTimeout,
		MinIdleConns: o.MinIdleConns, MaxIdleConns: o.MaxIdleConns,
		MaxActiveConns:  o.MaxActiveConns,
		ConnMaxIdleTime: o.ConnMaxIdleTime, ConnMaxLifetime: o.ConnMaxLifetime,
		ConnMaxLifetimeJitter: o.ConnMaxLifetimeJitter, TLSConfig: o.TLSConfig,
		DisableIdentity: o.DisableIdentity || o.DisableIndentity, IdentitySuffix: o.IdentitySuffix,
		CoreOptions: o.CoreOptions, CredentialsProvider: o.CredentialsProvider,
		CredentialsProviderContext: o.CredentialsProviderContext,
		MaxConcurrentDials:         o.MaxConcurrentDials,
	}
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
