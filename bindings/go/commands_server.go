package redis

import (
	"context"
	"time"
)

// DBSize is the number of keys.
func (c cmdable) DBSize(ctx context.Context) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, "dbsize"))
}

// FlushAll deletes every key of every database, in a cluster of one node only; use ForEachMaster
// there.
func (c cmdable) FlushAll(ctx context.Context) *StatusCmd {
	return run(ctx, c, NewStatusCmd(ctx, "flushall"))
}

// FlushAllAsync is FlushAll that frees memory in the background.
func (c cmdable) FlushAllAsync(ctx context.Context) *StatusCmd {
	return run(ctx, c, NewStatusCmd(ctx, "flushall", "async"))
}

// FlushDB deletes every key of the database, in a cluster of one node only; use ForEachMaster
// there.
func (c cmdable) FlushDB(ctx context.Context) *StatusCmd {
	return run(ctx, c, NewStatusCmd(ctx, "flushdb"))
}

// FlushDBAsync is FlushDB that frees memory in the background.
func (c cmdable) FlushDBAsync(ctx context.Context) *StatusCmd {
	return run(ctx, c, NewStatusCmd(ctx, "flushdb", "async"))
}

// Info is the server's report on itself.
func (c cmdable) Info(ctx context.Context, sections ...string) *StringCmd {
	return run(ctx, c, NewStringCmd(ctx, toArgs([]interface{}{"info"}, sections...)...))
}

// Time is the server's clock.
func (c cmdable) Time(ctx context.Context) *TimeCmd { return run(ctx, c, NewTimeCmd(ctx, "time")) }

// LastSave is when the server last wrote its data to disk, in seconds.
func (c cmdable) LastSave(ctx context.Context) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, "lastsave"))
}

// ConfigGet is the server's settings that match a pattern.
func (c cmdable) ConfigGet(ctx context.Context, parameter string) *MapStringStringCmd {
	return run(ctx, c, NewMapStringStringCmd(ctx, "config", "get", parameter))
}

// ConfigSet changes a setting of the server.
func (c cmdable) ConfigSet(ctx context.Context, parameter, value string) *StatusCmd {
	return run(ctx, c, NewStatusCmd(ctx, "config", "set", parameter, value))
}

// ConfigResetStat zeroes the server's statistics.
func (c cmdable) ConfigResetStat(ctx context.Context) *StatusCmd {
	return run(ctx, c, NewStatusCmd(ctx, "config", "resetstat"))
}

// ClientID is the number the server gave the connection the command ran on.
func (c cmdable) ClientID(ctx context.Context) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, "client", "id"))
}

// ClientGetName is the connection's name, or Nil.
func (c cmdable) ClientGetName(ctx context.Context) *StringCmd {
	return run(ctx, c, NewStringCmd(ctx, "client", "getname"))
}

// ClientList is the server's connections as text.
func (c cmdable) ClientList(ctx context.Context) *StringCmd {
	return run(ctx, c, NewStringCmd(ctx, "client", "list"))
}

// ClientPause stops the server answering for a time.
func (c cmdable) ClientPause(ctx context.Context, dur time.Duration) *BoolCmd {
	return run(ctx, c, NewBoolCmd(ctx, "client", "pause", wholeMillis(dur)))
}

// ClientUnpause ends ClientPause.
func (c cmdable) ClientUnpause(ctx context.Context) *BoolCmd {
	return run(ctx, c, NewBoolCmd(ctx, "client", "unpause"))
}

// ClientKill closes the connection from an address.
func (c cmdable) ClientKill(ctx context.Context, ipPort string) *StatusCmd {
	return run(ctx, c, NewStatusCmd(ctx, "client", "kill", ipPort))
}

// ClientKillByFilter closes connections and answers how many.
func (c cmdable) ClientKillByFilter(ctx context.Context, keys ...string) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, toArgs([]interface{}{"client", "kill"}, keys...)...))
}

// Publish sends a message and answers how many subscribers of this node had it.
func (c cmdable) Publish(ctx context.Context, channel string, message interface{}) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, "publish", channel, message))
}

// SPublish sends a message on a sharded channel.
func (c cmdable) SPublish(ctx context.Context, channel string, message interface{}) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, "spublish", channel, message))
}

// PubSubChannels are the channels with subscribers.
func (c cmdable) PubSubChannels(ctx context.Context, pattern string) *StringSliceCmd {
	args := []interface{}{"pubsub", "channels"}
	if pattern != "*" {
		args = append(args, pattern)
	}
	return run(ctx, c, NewStringSliceCmd(ctx, args...))
}

// ClusterInfo is the cluster's state as text.
func (c cmdable) ClusterInfo(ctx context.Context) *StringCmd {
	return run(ctx, c, NewStringCmd(ctx, "cluster", "info"))
}

// ClusterNodes is the cluster's nodes as text.
func (c cmdable) ClusterNodes(ctx context.Context) *StringCmd {
	return run(ctx, c, NewStringCmd(ctx, "cluster", "nodes"))
}

// ClusterKeySlot is the slot of a key, as the server computes it.
func (c cmdable) ClusterKeySlot(ctx context.Context, key string) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, "cluster", "keyslot", key))
}

// Eval runs a script. A script that returns nil is Nil.
func (c cmdable) Eval(ctx context.Context, script string, keys []string, args ...interface{}) *Cmd {
	return c.eval(ctx, "eval", script, keys, args)
}

// EvalSha runs a script that the server knows by its SHA-1.
func (c cmdable) EvalSha(ctx context.Context, sha1 string, keys []string,
	args ...interface{}) *Cmd {
	return c.eval(ctx, "evalsha", sha1, keys, args)
}

// EvalRO runs a script that writes nothing; it may go to a replica.
func (c cmdable) EvalRO(ctx context.Context, script string, keys []string,
	args ...interface{}) *Cmd {
	return c.eval(ctx, "eval_ro", script, keys, args)
}

// EvalShaRO runs a known script that writes nothing; it may go to a replica.
func (c cmdable) EvalShaRO(ctx context.Context, sha1 string, keys []string,
	args ...interface{}) *Cmd {
	return c.eval(ctx, "evalsha_ro", sha1, keys, args)
}

func (c cmdable) eval(ctx context.Context, name, body string, keys []string,
	args []interface{}) *Cmd {
	all := toArgs([]interface{}{name, body, len(keys)}, keys...)
	return run(ctx, c, NewCmd(ctx, appendArgs(all, args)...))
}

// ScriptLoad gives the server a script and answers with its SHA-1.
func (c cmdable) ScriptLoad(ctx context.Context, script string) *StringCmd {
	return run(ctx, c, NewStringCmd(ctx, "script", "load", script))
}

// ScriptExists says of each SHA-1 whether the server knows it.
func (c cmdable) ScriptExists(ctx context.Context, hashes ...string) *BoolSliceCmd {
	return run(ctx, c, NewBoolSliceCmd(ctx, toArgs([]interface{}{"script", "exists"},
		hashes...)...))
}

// ScriptFlush makes the server forget its scripts.
func (c cmdable) ScriptFlush(ctx context.Context) *StatusCmd {
	return run(ctx, c, NewStatusCmd(ctx, "script", "flush"))
}
