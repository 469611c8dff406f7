package redis

import "context"

// SAdd adds members and answers how many are new.
func (c cmdable) SAdd(ctx context.Context, key string, members ...interface{}) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, appendArgs([]interface{}{"sadd", key}, members)...))
}

// SRem removes members and answers how many there were.
func (c cmdable) SRem(ctx context.Context, key string, members ...interface{}) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, appendArgs([]interface{}{"srem", key}, members)...))
}

// SCard is the number of members.
func (c cmdable) SCard(ctx context.Context, key string) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, "scard", key))
}

// SIsMember says whether a member is in the set.
func (c cmdable) SIsMember(ctx context.Context, key string, member interface{}) *BoolCmd {
	return run(ctx, c, NewBoolCmd(ctx, "sismember", key, member))
}

// SMIsMember says of each member whether it is in the set.
func (c cmdable) SMIsMember(ctx context.Context, key string, members ...interface{}) *BoolSliceCmd {
	return run(ctx, c, NewBoolSliceCmd(ctx, appendArgs([]interface{}{"smismember", key},
		members)...))
}

// SMembers is all members, in no order.
func (c cmdable) SMembers(ctx context.Context, key string) *StringSliceCmd {
	return run(ctx, c, NewStringSliceCmd(ctx, "smembers", key))
}

// SMembersMap is all members as the keys of a map.
func (c cmdable) SMembersMap(ctx context.Context, key string) *StringStructMapCmd {
	return run(ctx, c, NewStringStructMapCmd(ctx, "smembers", key))
}

// SPop takes a random member, or is Nil.
func (c cmdable) SPop(ctx context.Context, key string) *StringCmd {
	return run(ctx, c, NewStringCmd(ctx, "spop", key))
}

// SPopN takes up to count random members.
func (c cmdable) SPopN(ctx context.Context, key string, count int64) *StringSliceCmd {
	return run(ctx, c, NewStringSliceCmd(ctx, "spop", key, count))
}

// SRandMember is a random member, or Nil.
func (c cmdable) SRandMember(ctx context.Context, key string) *StringCmd {
	return run(ctx, c, NewStringCmd(ctx, "srandmember", key))
}

// SRandMemberN is up to count random members; a negative count may repeat some.
func (c cmdable) SRandMemberN(ctx context.Context, key string, count int64) *StringSliceCmd {
	return run(ctx, c, NewStringSliceCmd(ctx, "srandmember", key, count))
}

// SMove moves a member to another set.
func (c cmdable) SMove(ctx context.Context, source, destination string,
	member interface{}) *BoolCmd {
	return run(ctx, c, NewBoolCmd(ctx, "smove", source, destination, member))
}

// SDiff is the members of the first set that are in no other.
func (c cmdable) SDiff(ctx context.Context, keys ...string) *StringSliceCmd {
	return run(ctx, c, NewStringSliceCmd(ctx, toArgs([]interface{}{"sdiff"}, keys...)...))
}

// SInter is the members of all sets.
func (c cmdable) SInter(ctx context.Context, keys ...string) *StringSliceCmd {
	return run(ctx, c, NewStringSliceCmd(ctx, toArgs([]interface{}{"sinter"}, keys...)...))
}

// SUnion is the members of any set.
func (c cmdable) SUnion(ctx context.Context, keys ...string) *StringSliceCmd {
	return run(ctx, c, NewStringSliceCmd(ctx, toArgs([]interface{}{"sunion"}, keys...)...))
}

// SDiffStore stores SDiff and answers how many members it has.
func (c cmdable) SDiffStore(ctx context.Context, destination string, keys ...string) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, toArgs([]interface{}{"sdiffstore", destination}, keys...)...))
}

// SInterStore stores SInter and answers how many members it has.
func (c cmdable) SInterStore(ctx context.Context, destination string, keys ...string) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, toArgs([]interface{}{"sinterstore", destination},
		keys...)...))
}

// SUnionStore stores SUnion and answers how many members it has.
func (c cmdable) SUnionStore(ctx context.Context, destination string, keys ...string) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, toArgs([]interface{}{"sunionstore", destination},
		keys...)...))
}
