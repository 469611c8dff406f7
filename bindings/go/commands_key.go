package redis

import (
	"context"
	"time"
)

// Del deletes keys and answers how many there were.
func (c cmdable) Del(ctx context.Context, keys ...string) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, toArgs([]interface{}{"del"}, keys...)...))
}

// Unlink deletes keys, their memory in the background.
func (c cmdable) Unlink(ctx context.Context, keys ...string) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, toArgs([]interface{}{"unlink"}, keys...)...))
}

// Exists counts the keys that exist.
func (c cmdable) Exists(ctx context.Context, keys ...string) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, toArgs([]interface{}{"exists"}, keys...)...))
}

// Touch counts the keys that exist and marks them as used.
func (c cmdable) Touch(ctx context.Context, keys ...string) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, toArgs([]interface{}{"touch"}, keys...)...))
}

// Expire sets a time to live in whole seconds.
func (c cmdable) Expire(ctx context.Context, key string, expiration time.Duration) *BoolCmd {
	return run(ctx, c, NewBoolCmd(ctx, "expire", key, wholeSeconds(expiration)))
}

// ExpireNX sets a time to live if the key has none.
func (c cmdable) ExpireNX(ctx context.Context, key string, expiration time.Duration) *BoolCmd {
	return run(ctx, c, NewBoolCmd(ctx, "expire", key, wholeSeconds(expiration), "nx"))
}

// ExpireXX sets a time to live if the key has one.
func (c cmdable) ExpireXX(ctx context.Context, key string, expiration time.Duration) *BoolCmd {
	return run(ctx, c, NewBoolCmd(ctx, "expire", key, wholeSeconds(expiration), "xx"))
}

// ExpireGT sets a time to live if it is later than the key's.
func (c cmdable) ExpireGT(ctx context.Context, key string, expiration time.Duration) *BoolCmd {
	return run(ctx, c, NewBoolCmd(ctx, "expire", key, wholeSeconds(expiration), "gt"))
}

// ExpireLT sets a time to live if it is sooner than the key's.
func (c cmdable) ExpireLT(ctx context.Context, key string, expiration time.Duration) *BoolCmd {
	return run(ctx, c, NewBoolCmd(ctx, "expire", key, wholeSeconds(expiration), "lt"))
}

// ExpireAt sets the time a key ends, in whole seconds.
func (c cmdable) ExpireAt(ctx context.Context, key string, tm time.Time) *BoolCmd {
	return run(ctx, c, NewBoolCmd(ctx, "expireat", key, tm.Unix()))
}

// PExpire sets a time to live in milliseconds.
func (c cmdable) PExpire(ctx context.Context, key string, expiration time.Duration) *BoolCmd {
	return run(ctx, c, NewBoolCmd(ctx, "pexpire", key, wholeMillis(expiration)))
}

// PExpireAt sets the time a key ends, in milliseconds.
func (c cmdable) PExpireAt(ctx context.Context, key string, tm time.Time) *BoolCmd {
	return run(ctx, c, NewBoolCmd(ctx, "pexpireat", key, tm.UnixMilli()))
}

// Persist removes the time to live.
func (c cmdable) Persist(ctx context.Context, key string) *BoolCmd {
	return run(ctx, c, NewBoolCmd(ctx, "persist", key))
}

// TTL is the time to live in whole seconds; -1 (a nanosecond) without one, -2 for a missing key.
func (c cmdable) TTL(ctx context.Context, key string) *DurationCmd {
	return run(ctx, c, NewDurationCmd(ctx, time.Second, "ttl", key))
}

// PTTL is the time to live in milliseconds; -1 (a nanosecond) without one, -2 for a missing key.
func (c cmdable) PTTL(ctx context.Context, key string) *DurationCmd {
	return run(ctx, c, NewDurationCmd(ctx, time.Millisecond, "pttl", key))
}

// Type is the kind of value a key has, or "none".
func (c cmdable) Type(ctx context.Context, key string) *StatusCmd {
	return run(ctx, c, NewStatusCmd(ctx, "type", key))
}

// Rename gives a key another name, in place of what had it.
func (c cmdable) Rename(ctx context.Context, key, newkey string) *StatusCmd {
	return run(ctx, c, NewStatusCmd(ctx, "rename", key, newkey))
}

// RenameNX gives a key another name unless that exists.
func (c cmdable) RenameNX(ctx context.Context, key, newkey string) *BoolCmd {
	return run(ctx, c, NewBoolCmd(ctx, "renamenx", key, newkey))
}

// RandomKey is the name of some key, or Nil.
func (c cmdable) RandomKey(ctx context.Context) *StringCmd {
	return run(ctx, c, NewStringCmd(ctx, "randomkey"))
}

// Copy copies a value to another key and database.
func (c cmdable) Copy(ctx context.Context, source, destination string, db int,
	replace bool) *IntCmd {
	args := []interface{}{"copy", source, destination, "db", db}
	if replace {
		args = append(args, "replace")
	}
	return run(ctx, c, NewIntCmd(ctx, args...))
}

// Dump is the value in the server's own form, or Nil.
func (c cmdable) Dump(ctx context.Context, key string) *StringCmd {
	return run(ctx, c, NewStringCmd(ctx, "dump", key))
}

// Restore stores what Dump gave; a ttl of 0 means none.
func (c cmdable) Restore(ctx context.Context, key string, ttl time.Duration,
	value string) *StatusCmd {
	return run(ctx, c, NewStatusCmd(ctx, "restore", key, wholeMillis(ttl), value))
}

// ObjectEncoding is how the server holds the value, or Nil.
func (c cmdable) ObjectEncoding(ctx context.Context, key string) *StringCmd {
	return run(ctx, c, NewStringCmd(ctx, "object", "encoding", key))
}

// MemoryUsage is what a key costs in bytes, or Nil.
func (c cmdable) MemoryUsage(ctx context.Context, key string, samples ...int) *IntCmd {
	args := []interface{}{"memory", "usage", key}
	if len(samples) > 0 {
		args = append(args, "samples", samples[0])
	}
	return run(ctx, c, NewIntCmd(ctx, args...))
}

// Keys are the names that match a pattern. It holds the server up; Scan does not.
func (c cmdable) Keys(ctx context.Context, pattern string) *StringSliceCmd {
	return run(ctx, c, NewStringSliceCmd(ctx, "keys", pattern))
}

// Scan is one page of names. In a cluster it is of one node; use ForEachMaster.
func (c cmdable) Scan(ctx context.Context, cursor uint64, match string, count int64) *ScanCmd {
	return c.scan(ctx, []interface{}{"scan", cursor}, match, count)
}

// ScanType is one page of names of one type.
func (c cmdable) ScanType(ctx context.Context, cursor uint64, match string, count int64,
	keyType string) *ScanCmd {
	args := appendScan([]interface{}{"scan", cursor}, match, count)
	if keyType != "" {
		args = append(args, "type", keyType)
	}
	return run(ctx, c, NewScanCmd(ctx, c, args...))
}

// SScan is one page of a set.
func (c cmdable) SScan(ctx context.Context, key string, cursor uint64, match string,
	count int64) *ScanCmd {
	return c.scan(ctx, []interface{}{"sscan", key, cursor}, match, count)
}

// HScan is one page of a hash, field and value in turn.
func (c cmdable) HScan(ctx context.Context, key string, cursor uint64, match string,
	count int64) *ScanCmd {
	return c.scan(ctx, []interface{}{"hscan", key, cursor}, match, count)
}

// ZScan is one page of a sorted set, member and score in turn.
func (c cmdable) ZScan(ctx context.Context, key string, cursor uint64, match string,
	count int64) *ScanCmd {
	return c.scan(ctx, []interface{}{"zscan", key, cursor}, match, count)
}

func (c cmdable) scan(ctx context.Context, args []interface{}, match string, count int64) *ScanCmd {
	return run(ctx, c, NewScanCmd(ctx, c, appendScan(args, match, count)...))
}

func appendScan(args []interface{}, match string, count int64) []interface{} {
	if match != "" {
		args = append(args, "match", match)
	}
	if count > 0 {
		args = append(args, "count", count)
	}
	return args
}
