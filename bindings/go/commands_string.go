package redis

import (
	"context"
	"time"
)

// Get is the value of a key, or Nil.
func (c cmdable) Get(ctx context.Context, key string) *StringCmd {
	return run(ctx, c, NewStringCmd(ctx, "get", key))
}

// GetDel is the value of a key, which is deleted.
func (c cmdable) GetDel(ctx context.Context, key string) *StringCmd {
	return run(ctx, c, NewStringCmd(ctx, "getdel", key))
}

// GetSet is the old value of a key, which gets a new one.
func (c cmdable) GetSet(ctx context.Context, key string, value interface{}) *StringCmd {
	return run(ctx, c, NewStringCmd(ctx, "getset", key, value))
}

// GetEx is the value of a key and sets its expiration: 0 removes it, less than 0 keeps it.
func (c cmdable) GetEx(ctx context.Context, key string, expiration time.Duration) *StringCmd {
	args := appendExpiry([]interface{}{"getex", key}, expiration)
	if expiration == 0 {
		args = append(args, "persist")
	}
	return run(ctx, c, NewStringCmd(ctx, args...))
}

// GetRange is a part of the value, "" for a missing key.
func (c cmdable) GetRange(ctx context.Context, key string, start, end int64) *StringCmd {
	return run(ctx, c, NewStringCmd(ctx, "getrange", key, start, end))
}

// Set stores a value. An expiration of 0 means none, KeepTTL keeps the one the key has.
func (c cmdable) Set(ctx context.Context, key string, value interface{},
	expiration time.Duration) *StatusCmd {
	args := appendExpiry([]interface{}{"set", key, value}, expiration)
	if expiration == KeepTTL {
		args = append(args, "keepttl")
	}
	return run(ctx, c, NewStatusCmd(ctx, args...))
}

// SetArgs are the options of Client.SetArgs. The zero value is a plain SET.
type SetArgs struct {
	Mode     string // "NX" or "XX"
	TTL      time.Duration
	ExpireAt time.Time
	Get      bool // answer with the old value
	KeepTTL  bool
}

// SetArgs stores a value as SetArgs say. NX or XX that did not apply is Nil.
func (c cmdable) SetArgs(ctx context.Context, key string, value interface{}, a SetArgs) *StatusCmd {
	args := []interface{}{"set", key, value}
	if a.KeepTTL {
		args = append(args, "keepttl")
	}
	if !a.ExpireAt.IsZero() {
		args = append(args, "exat", a.ExpireAt.Unix())
	}
	args = appendExpiry(args, a.TTL)
	if a.Mode != "" {
		args = append(args, a.Mode)
	}
	if a.Get {
		args = append(args, "get")
	}
	return run(ctx, c, NewStatusCmd(ctx, args...))
}

// SetEx stores a value with an expiration in whole seconds.
func (c cmdable) SetEx(ctx context.Context, key string, value interface{},
	expiration time.Duration) *StatusCmd {
	return run(ctx, c, NewStatusCmd(ctx, "setex", key, wholeSeconds(expiration), value))
}

// SetNX stores a value unless the key exists, and says whether it did.
func (c cmdable) SetNX(ctx context.Context, key string, value interface{},
	expiration time.Duration) *BoolCmd {
	if expiration == 0 {
		return run(ctx, c, NewBoolCmd(ctx, "setnx", key, value))
	}
	return c.setIf(ctx, "nx", key, value, expiration)
}

// SetXX stores a value if the key exists, and says whether it did.
func (c cmdable) SetXX(ctx context.Context, key string, value interface{},
	expiration time.Duration) *BoolCmd {
	return c.setIf(ctx, "xx", key, value, expiration)
}

func (c cmdable) setIf(ctx context.Context, mode, key string, value interface{},
	expiration time.Duration) *BoolCmd {
	args := appendExpiry([]interface{}{"set", key, value}, expiration)
	if expiration == KeepTTL {
		args = append(args, "keepttl")
	}
	return run(ctx, c, NewBoolCmd(ctx, append(args, mode)...))
}

// SetRange overwrites a part of the value and answers with its new length.
func (c cmdable) SetRange(ctx context.Context, key string, offset int64, value string) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, "setrange", key, offset, value))
}

// Append adds to the value and answers with its new length.
func (c cmdable) Append(ctx context.Context, key, value string) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, "append", key, value))
}

// StrLen is the length of the value in bytes.
func (c cmdable) StrLen(ctx context.Context, key string) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, "strlen", key))
}

// Incr adds 1 and answers with the new value.
func (c cmdable) Incr(ctx context.Context, key string) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, "incr", key))
}

// IncrBy adds and answers with the new value.
func (c cmdable) IncrBy(ctx context.Context, key string, value int64) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, "incrby", key, value))
}

// IncrByFloat adds and answers with the new value.
func (c cmdable) IncrByFloat(ctx context.Context, key string, value float64) *FloatCmd {
	return run(ctx, c, NewFloatCmd(ctx, "incrbyfloat", key, value))
}

// Decr subtracts 1 and answers with the new value.
func (c cmdable) Decr(ctx context.Context, key string) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, "decr", key))
}

// DecrBy subtracts and answers with the new value.
func (c cmdable) DecrBy(ctx context.Context, key string, decrement int64) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, "decrby", key, decrement))
}

// MGet is the values of several keys; a missing one is nil.
func (c cmdable) MGet(ctx context.Context, keys ...string) *SliceCmd {
	return run(ctx, c, NewSliceCmd(ctx, toArgs([]interface{}{"mget"}, keys...)...))
}

// MSet stores several values: pairs, a slice, a map or a struct.
func (c cmdable) MSet(ctx context.Context, values ...interface{}) *StatusCmd {
	return run(ctx, c, NewStatusCmd(ctx, appendArgs([]interface{}{"mset"}, values)...))
}

// MSetNX stores several values unless one of the keys exists.
func (c cmdable) MSetNX(ctx context.Context, values ...interface{}) *BoolCmd {
	return run(ctx, c, NewBoolCmd(ctx, appendArgs([]interface{}{"msetnx"}, values)...))
}

// GetBit is one bit of the value.
func (c cmdable) GetBit(ctx context.Context, key string, offset int64) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, "getbit", key, offset))
}

// SetBit sets one bit and answers with the old one.
func (c cmdable) SetBit(ctx context.Context, key string, offset int64, value int) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, "setbit", key, offset, value))
}

// BitCount is a range of BITCOUNT; Unit is BitCountIndexByte or BitCountIndexBit.
type BitCount struct {
	Start, End int64
	Unit       string
}

// Units of BitCount.
const (
	BitCountIndexByte = "BYTE"
	BitCountIndexBit  = "BIT"
)

// BitCount counts set bits, in the whole value when bitCount is nil.
func (c cmdable) BitCount(ctx context.Context, key string, bitCount *BitCount) *IntCmd {
	args := []interface{}{"bitcount", key}
	if bitCount != nil {
		args = append(args, bitCount.Start, bitCount.End)
		if bitCount.Unit != "" {
			args = append(args, bitCount.Unit)
		}
	}
	return run(ctx, c, NewIntCmd(ctx, args...))
}

// PFAdd counts elements in a HyperLogLog.
func (c cmdable) PFAdd(ctx context.Context, key string, els ...interface{}) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, appendArgs([]interface{}{"pfadd", key}, els)...))
}

// PFCount is the approximate number of elements.
func (c cmdable) PFCount(ctx context.Context, keys ...string) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, toArgs([]interface{}{"pfcount"}, keys...)...))
}

// PFMerge merges HyperLogLogs.
func (c cmdable) PFMerge(ctx context.Context, dest string, keys ...string) *StatusCmd {
	return run(ctx, c, NewStatusCmd(ctx, toArgs([]interface{}{"pfmerge", dest}, keys...)...))
}
