package redis

import "context"

// ZAdd adds or updates members and answers how many are new.
func (c cmdable) ZAdd(ctx context.Context, key string, members ...Z) *IntCmd {
	return c.ZAddArgs(ctx, key, ZAddArgs{Members: members})
}

// ZAddNX adds members that are not there yet.
func (c cmdable) ZAddNX(ctx context.Context, key string, members ...Z) *IntCmd {
	return c.ZAddArgs(ctx, key, ZAddArgs{NX: true, Members: members})
}

// ZAddXX updates members that are there.
func (c cmdable) ZAddXX(ctx context.Context, key string, members ...Z) *IntCmd {
	return c.ZAddArgs(ctx, key, ZAddArgs{XX: true, Members: members})
}

// ZAddGT adds members, and updates those whose score grows.
func (c cmdable) ZAddGT(ctx context.Context, key string, members ...Z) *IntCmd {
	return c.ZAddArgs(ctx, key, ZAddArgs{GT: true, Members: members})
}

// ZAddLT adds members, and updates those whose score falls.
func (c cmdable) ZAddLT(ctx context.Context, key string, members ...Z) *IntCmd {
	return c.ZAddArgs(ctx, key, ZAddArgs{LT: true, Members: members})
}

// ZAddArgs are the members and options of Client.ZAddArgs. NX goes with no other but Ch.
type ZAddArgs struct {
	NX, XX, LT, GT bool
	Ch             bool // count changed members too
	Members        []Z
}

// ZAddArgs adds or updates members as the options say.
func (c cmdable) ZAddArgs(ctx context.Context, key string, a ZAddArgs) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, a.append([]interface{}{"zadd", key}, false)...))
}

// ZAddArgsIncr adds the score to the one member's and answers with the new one; Nil if it did not
// apply.
func (c cmdable) ZAddArgsIncr(ctx context.Context, key string, a ZAddArgs) *FloatCmd {
	return run(ctx, c, NewFloatCmd(ctx, a.append([]interface{}{"zadd", key}, true)...))
}

func (a *ZAddArgs) append(args []interface{}, incr bool) []interface{} {
	for _, option := range []struct {
		on   bool
		word string
	}{{a.NX, "nx"}, {a.XX, "xx"}, {a.GT, "gt"}, {a.LT, "lt"}, {a.Ch, "ch"}, {incr, "incr"}} {
		if option.on {
			args = append(args, option.word)
		}
	}
	for _, z := range a.Members {
		args = append(args, z.Score, z.Member)
	}
	return args
}

// ZScore is the score of a member, or Nil.
func (c cmdable) ZScore(ctx context.Context, key, member string) *FloatCmd {
	return run(ctx, c, NewFloatCmd(ctx, "zscore", key, member))
}

// ZMScore is the scores of members; a missing one is 0.
func (c cmdable) ZMScore(ctx context.Context, key string, members ...string) *FloatSliceCmd {
	return run(ctx, c, NewFloatSliceCmd(ctx, toArgs([]interface{}{"zmscore", key}, members...)...))
}

// ZIncrBy adds to a score and answers with the new one.
func (c cmdable) ZIncrBy(ctx context.Context, key string, increment float64,
	member string) *FloatCmd {
	return run(ctx, c, NewFloatCmd(ctx, "zincrby", key, increment, member))
}

// ZCard is the number of members.
func (c cmdable) ZCard(ctx context.Context, key string) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, "zcard", key))
}

// ZCount is the number of members between two scores.
func (c cmdable) ZCount(ctx context.Context, key, min, max string) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, "zcount", key, min, max))
}

// ZLexCount is the number of members between two names.
func (c cmdable) ZLexCount(ctx context.Context, key, min, max string) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, "zlexcount", key, min, max))
}

// ZRank is a member's place by rising score, or Nil.
func (c cmdable) ZRank(ctx context.Context, key, member string) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, "zrank", key, member))
}

// ZRevRank is a member's place by falling score, or Nil.
func (c cmdable) ZRevRank(ctx context.Context, key, member string) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, "zrevrank", key, member))
}

// ZRem removes members and answers how many there were.
func (c cmdable) ZRem(ctx context.Context, key string, members ...interface{}) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, appendArgs([]interface{}{"zrem", key}, members)...))
}

// ZRemRangeByRank removes the members from start to stop, both included.
func (c cmdable) ZRemRangeByRank(ctx context.Context, key string, start, stop int64) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, "zremrangebyrank", key, start, stop))
}

// ZRemRangeByScore removes the members between two scores.
func (c cmdable) ZRemRangeByScore(ctx context.Context, key, min, max string) *IntCmd {
	return run(ctx, c, NewIntCmd(ctx, "zremrangebyscore", key, min, max))
}

// ZRange is the members from start to stop by rising score, both included.
func (c cmdable) ZRange(ctx context.Context, key string, start, stop int64) *StringSliceCmd {
	return run(ctx, c, NewStringSliceCmd(ctx, "zrange", key, start, stop))
}

// ZRangeWithScores is ZRange with the scores.
func (c cmdable) ZRangeWithScores(ctx context.Context, key string, start, stop int64) *ZSliceCmd {
	return run(ctx, c, NewZSliceCmd(ctx, "zrange", key, start, stop, "withscores"))
}

// ZRevRange is the members from start to stop by falling score, both included.
func (c cmdable) ZRevRange(ctx context.Context, key string, start, stop int64) *StringSliceCmd {
	return run(ctx, c, NewStringSliceCmd(ctx, "zrevrange", key, start, stop))
}

// ZRevRangeWithScores is ZRevRange with the scores.
func (c cmdable) ZRevRangeWithScores(ctx context.Context, key string, start,
	stop int64) *ZSliceCmd {
	return run(ctx, c, NewZSliceCmd(ctx, "zrevrange", key, start, stop, "withscores"))
}

// ZRangeBy are bounds such as "-inf", "(1" or "[a", and a page when Offset or Count is not 0.
type ZRangeBy struct {
	Min, Max      string
	Offset, Count int64
}

// args lays the bounds out as the command wants them: a reversed one takes the larger first.
func (o *ZRangeBy) args(name, key string, withScores bool) []interface{} {
	first, second := o.Min, o.Max
	if len(name) > 4 && name[:4] == "zrev" {
		first, second = second, first
	}
	args := []interface{}{name, key, first, second}
	if withScores {
		args = append(args, "withscores")
	}
	if o.Offset != 0 || o.Count != 0 {
		args = append(args, "limit", o.Offset, o.Count)
	}
	return args
}

// ZRangeByScore is the members between two scores.
func (c cmdable) ZRangeByScore(ctx context.Context, key string, opt *ZRangeBy) *StringSliceCmd {
	return run(ctx, c, NewStringSliceCmd(ctx, opt.args("zrangebyscore", key, false)...))
}

// ZRangeByScoreWithScores is ZRangeByScore with the scores.
func (c cmdable) ZRangeByScoreWithScores(ctx context.Context, key string,
	opt *ZRangeBy) *ZSliceCmd {
	return run(ctx, c, NewZSliceCmd(ctx, opt.args("zrangebyscore", key, true)...))
}

// ZRangeByLex is the members between two names.
func (c cmdable) ZRangeByLex(ctx context.Context, key string, opt *ZRangeBy) *StringSliceCmd {
	return run(ctx, c, NewStringSliceCmd(ctx, opt.args("zrangebylex", key, false)...))
}

// ZRevRangeByScore is the members between two scores, falling.
func (c cmdable) ZRevRangeByScore(ctx context.Context, key string, opt *ZRangeBy) *StringSliceCmd {
	return run(ctx, c, NewStringSliceCmd(ctx, opt.args("zrevrangebyscore", key, false)...))
}

// ZRevRangeByScoreWithScores is ZRevRangeByScore with the scores.
func (c cmdable) ZRevRangeByScoreWithScores(ctx context.Context, key string,
	opt *ZRangeBy) *ZSliceCmd {
	return run(ctx, c, NewZSliceCmd(ctx, opt.args("zrevrangebyscore", key, true)...))
}

// ZPopMin takes the members of lowest score.
func (c cmdable) ZPopMin(ctx context.Context, key string, count ...int64) *ZSliceCmd {
	return run(ctx, c, NewZSliceCmd(ctx, appendCount([]interface{}{"zpopmin", key}, count)...))
}

// ZPopMax takes the members of highest score.
func (c cmdable) ZPopMax(ctx context.Context, key string, count ...int64) *ZSliceCmd {
	return run(ctx, c, NewZSliceCmd(ctx, appendCount([]interface{}{"zpopmax", key}, count)...))
}

func appendCount(args []interface{}, count []int64) []interface{} {
	if len(count) > 0 {
		args = append(args, count[0])
	}
	return args
}
