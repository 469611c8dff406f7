package redis

import "context"

// HSet sets fields and answers how many are new: pairs, a slice, a map or a struct.
func (c cmdable) HSet(ctx context.Context, key string, values ...interface{}) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, appendArgs([]interface{}{"hset", key}, values)...))
}

// HMSet sets fields as HSet does; the server has deprecated it.
func (c cmdable) HMSet(ctx context.Context, key string, values ...interface{}) *BoolCmd {
	return run(ctx, c, NewBoolCmd(ctx, appendArgs([]interface{}{"hmset", key}, values)...))
}

// HSetNX sets a field unless it exists.
func (c cmdable) HSetNX(ctx context.Context, key, field string, value interface{}) *BoolCmd {
	return run(ctx, c, NewBoolCmd(ctx, "hsetnx", key, field, value))
}

// HGet is the value of a field, or Nil.
func (c cmdable) HGet(ctx context.Context, key, field string) *StringCmd {
	return run(ctx, c, NewStringCmd(ctx, "hget", key, field))
}

// HGetAll is all fields; a missing key is an empty map.
func (c cmdable) HGetAll(ctx context.Context, key string) *MapStringStringCmd {
	return run(ctx, c, NewMapStringStringCmd(ctx, "hgetall", key))
}

// HMGet is the values of several fields; a missing one is nil.
func (c cmdable) HMGet(ctx context.Context, key string, fields ...string) *SliceCmd {
	return run(ctx, c, NewSliceCmd(ctx, toArgs([]interface{}{"hmget", key}, fields...)...))
}

// HDel deletes fields and answers how many there were.
func (c cmdable) HDel(ctx context.Context, key string, fields ...string) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, toArgs([]interface{}{"hdel", key}, fields...)...))
}

// HExists says whether a field exists.
func (c cmdable) HExists(ctx context.Context, key, field string) *BoolCmd {
	return run(ctx, c, NewBoolCmd(ctx, "hexists", key, field))
}

// HIncrBy adds to a field and answers with its new value.
func (c cmdable) HIncrBy(ctx context.Context, key, field string, incr int64) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, "hincrby", key, field, incr))
}

// HIncrByFloat adds to a field and answers with its new value.
func (c cmdable) HIncrByFloat(ctx context.Context, key, field string, incr float64) *FloatCmd {
	return run(ctx, c, NewFloatCmd(ctx, "hincrbyfloat", key, field, incr))
}

// HKeys are the names of all fields.
func (c cmdable) HKeys(ctx context.Context, key string) *StringSliceCmd {
	return run(ctx, c, NewStringSliceCmd(ctx, "hkeys", key))
}

// HVals are the values of all fields.
func (c cmdable) HVals(ctx context.Context, key string) *StringSliceCmd {
	return run(ctx, c, NewStringSliceCmd(ctx, "hvals", key))
}

// HLen is the number of fields.
func (c cmdable) HLen(ctx context.Context, key string) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, "hlen", key))
}

// HStrLen is the length of a field's value in bytes.
func (c cmdable) HStrLen(ctx context.Context, key, field string) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, "hstrlen", key, field))
}

// HRandField is up to count random fields.
func (c cmdable) HRandField(ctx context.Context, key string, count int) *StringSliceCmd {
	return run(ctx, c, NewStringSliceCmd(ctx, "hrandfield", key, count))
}
