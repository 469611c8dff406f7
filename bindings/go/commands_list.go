package redis

import (
	"context"
	"time"
)

// LPush adds to the head and answers with the new length.
func (c cmdable) LPush(ctx context.Context, key string, values ...interface{}) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, appendArgs([]interface{}{"lpush", key}, values)...))
}

// LPushX adds to the head of a list that exists.
func (c cmdable) LPushX(ctx context.Context, key string, values ...interface{}) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, appendArgs([]interface{}{"lpushx", key}, values)...))
}

// RPush adds to the tail and answers with the new length.
func (c cmdable) RPush(ctx context.Context, key string, values ...interface{}) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, appendArgs([]interface{}{"rpush", key}, values)...))
}

// RPushX adds to the tail of a list that exists.
func (c cmdable) RPushX(ctx context.Context, key string, values ...interface{}) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, appendArgs([]interface{}{"rpushx", key}, values)...))
}

// LPop takes the head, or is Nil.
func (c cmdable) LPop(ctx context.Context, key string) *StringCmd {
	return run(ctx, c, NewStringCmd(ctx, "lpop", key))
}

// LPopCount takes up to count from the head, or is Nil.
func (c cmdable) LPopCount(ctx context.Context, key string, count int) *StringSliceCmd {
	return run(ctx, c, NewStringSliceCmd(ctx, "lpop", key, count))
}

// RPop takes the tail, or is Nil.
func (c cmdable) RPop(ctx context.Context, key string) *StringCmd {
	return run(ctx, c, NewStringCmd(ctx, "rpop", key))
}

// RPopCount takes up to count from the tail, or is Nil.
func (c cmdable) RPopCount(ctx context.Context, key string, count int) *StringSliceCmd {
	return run(ctx, c, NewStringSliceCmd(ctx, "rpop", key, count))
}

// LRange is the elements from start to stop, both included.
func (c cmdable) LRange(ctx context.Context, key string, start, stop int64) *StringSliceCmd {
	return run(ctx, c, NewStringSliceCmd(ctx, "lrange", key, start, stop))
}

// LLen is the length.
func (c cmdable) LLen(ctx context.Context, key string) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, "llen", key))
}

// LIndex is one element, or Nil.
func (c cmdable) LIndex(ctx context.Context, key string, index int64) *StringCmd {
	return run(ctx, c, NewStringCmd(ctx, "lindex", key, index))
}

// LSet replaces one element.
func (c cmdable) LSet(ctx context.Context, key string, index int64, value interface{}) *StatusCmd {
	return run(ctx, c, NewStatusCmd(ctx, "lset", key, index, value))
}

// LRem removes up to count equal elements, from the tail when count is negative, all when it is 0.
func (c cmdable) LRem(ctx context.Context, key string, count int64, value interface{}) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, "lrem", key, count, value))
}

// LTrim keeps the elements from start to stop only.
func (c cmdable) LTrim(ctx context.Context, key string, start, stop int64) *StatusCmd {
	return run(ctx, c, NewStatusCmd(ctx, "ltrim", key, start, stop))
}

// LInsert inserts "BEFORE" or "AFTER" the pivot.
func (c cmdable) LInsert(ctx context.Context, key, op string, pivot, value interface{}) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, "linsert", key, op, pivot, value))
}

// LInsertBefore inserts before the pivot.
func (c cmdable) LInsertBefore(ctx context.Context, key string, pivot, value interface{}) *IntCmd {
	return c.LInsert(ctx, key, "before", pivot, value)
}

// LInsertAfter inserts after the pivot.
func (c cmdable) LInsertAfter(ctx context.Context, key string, pivot, value interface{}) *IntCmd {
	return c.LInsert(ctx, key, "after", pivot, value)
}

// LMove moves an element between two ends, each "LEFT" or "RIGHT", and answers with it, or Nil.
func (c cmdable) LMove(ctx context.Context, source, destination, srcpos,
	destpos string) *StringCmd {
	return run(ctx, c, NewStringCmd(ctx, "lmove", source, destination, srcpos, destpos))
}

// RPopLPush moves the tail of one list to the head of another, or is Nil.
func (c cmdable) RPopLPush(ctx context.Context, source, destination string) *StringCmd {
	return run(ctx, c, NewStringCmd(ctx, "rpoplpush", source, destination))
}

// BLPop waits for an element at the head of one of the lists and answers with key and element; Nil
// after the timeout, which is in whole seconds, 0 for none.
func (c cmdable) BLPop(ctx context.Context, timeout time.Duration, keys ...string) *StringSliceCmd {
	return c.blockingPop(ctx, "blpop", timeout, keys)
}

// BRPop is BLPop at the tail.
func (c cmdable) BRPop(ctx context.Context, timeout time.Duration, keys ...string) *StringSliceCmd {
	return c.blockingPop(ctx, "brpop", timeout, keys)
}

func (c cmdable) blockingPop(ctx context.Context, name string, timeout time.Duration,
	keys []string) *StringSliceCmd {
	args := append(toArgs([]interface{}{name}, keys...), wholeSeconds(timeout))
	return runBlocking(ctx, c, timeout, NewStringSliceCmd(ctx, args...))
}

// BLMove is LMove that waits for an element.
func (c cmdable) BLMove(ctx context.Context, source, destination, srcpos, destpos string,
	timeout time.Duration) *StringCmd {
	return runBlocking(ctx, c, timeout,
		NewStringCmd(ctx, "blmove", source, destination, srcpos, destpos, wholeSeconds(timeout)))
}

// BRPopLPush is RPopLPush that waits for an element.
func (c cmdable) BRPopLPush(ctx context.Context, source, destination string,
	timeout time.Duration) *StringCmd {
	return runBlocking(ctx, c, timeout,
		NewStringCmd(ctx, "brpoplpush", source, destination, wholeSeconds(timeout)))
}
