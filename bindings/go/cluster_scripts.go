package redis

import (
	"context"
	"sync"
)

// Scripts are kept by each node for itself, so that a cluster knows one only when all nodes do. In
// a pipeline these commands go to one node, as in go-redis.

// ScriptLoad loads a script on every node, replicas included.
func (c *ClusterClient) ScriptLoad(ctx context.Context, script string) *StringCmd {
	cmd := NewStringCmd(ctx, "script", "load", script)
	var mutex sync.Mutex
	cmd.SetErr(c.ForEachShard(ctx, func(ctx context.Context, node *Client) error {
		sha, err := node.ScriptLoad(ctx, script).Result()
		mutex.Lock()
		defer mutex.Unlock()
		cmd.val = sha
		return err
	}))
	if cmd.err != nil {
		cmd.val = ""
	}
	return cmd
}

// ScriptFlush removes all scripts from every node, replicas included.
func (c *ClusterClient) ScriptFlush(ctx context.Context) *StatusCmd {
	cmd := NewStatusCmd(ctx, "script", "flush")
	cmd.SetErr(c.ForEachShard(ctx, func(ctx context.Context, node *Client) error {
		return node.ScriptFlush(ctx).Err()
	}))
	if cmd.err == nil {
		cmd.val = "OK"
	}
	return cmd
}

// ScriptExists says which scripts every node knows, replicas included.
func (c *ClusterClient) ScriptExists(ctx context.Context, hashes ...string) *BoolSliceCmd {
	args := []interface{}{"script", "exists"}
	known := make([]bool, len(hashes))
	for i, hash := range hashes {
		args, known[i] = append(args, hash), true
	}
	cmd := NewBoolSliceCmd(ctx, args...)
	var mutex sync.Mutex
	cmd.SetErr(c.ForEachShard(ctx, func(ctx context.Context, node *Client) error {
		answers, err := node.ScriptExists(ctx, hashes...).Result()
		mutex.Lock()
		defer mutex.Unlock()
		for i, answer := range answers {
			known[i] = known[i] && answer
		}
		return err
	}))
	if cmd.err == nil {
		cmd.val = known
	}
	return cmd
}
