package redis

import "context"

// UniversalClient is what Client and ClusterClient have in common.
type UniversalClient interface {
	Cmdable
	AddHook(hook Hook)
	Do(ctx context.Context, args ...interface{}) *Cmd
	Process(ctx context.Context, cmd Cmder) error
	Watch(ctx context.Context, fn func(*Tx) error, keys ...string) error
	Subscribe(ctx context.Context, channels ...string) *PubSub
	PSubscribe(ctx context.Context, channels ...string) *PubSub
	SSubscribe(ctx context.Context, channels ...string) *PubSub
	PoolStats() *PoolStats
	Close() error
}

var (
	_ UniversalClient = (*Client)(nil)
	_ UniversalClient = (*ClusterClient)(nil)
	_ Cmdable         = (*Tx)(nil)
	_ Cmdable         = (*Conn)(nil)
	_ StatefulCmdable = (*Tx)(nil)
	_ StatefulCmdable = (*Conn)(nil)
	_ Scripter        = (*Client)(nil)
)
