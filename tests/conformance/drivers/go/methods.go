package main

import (
	"context"
	"strconv"
	"time"

	redis "tendon.dev/redis"
)

// commander is what a command can be given to: a client, a connection, a pipeline.
type commander interface {
	redis.Cmdable
	Do(ctx context.Context, args ...interface{}) *redis.Cmd
}

// A pending gives the outcome of a command: at once, of a queued one after its pipeline was sent.
type pending func() (any, error)

// A call makes a command.
type call func(on commander) pending

func of[T any](cmd interface{ Result() (T, error) }) pending {
	return func() (any, error) { return cmd.Result() }
}

// words are the arguments of a method, each a string, an int64 or a float64. A type of the
// interface that a word cannot be made into panics with why, which `method` catches.
type words []any

func (w words) text(i int) string { return asText(w[i]) }

func (w words) integer(i int) int64 {
	if number, ok := w[i].(int64); ok {
		return number
	}
	return must(strconv.ParseInt(w.text(i), 10, 64))
}

func (w words) float(i int) float64 {
	if number, ok := w[i].(float64); ok {
		return number
	}
	return must(strconv.ParseFloat(w.text(i), 64))
}

func (w words) seconds(i int) time.Duration { return time.Duration(w.integer(i)) * time.Second }

func (w words) texts(from int) []string {
	texts := []string{}
	for i := from; i < len(w); i++ {
		texts = append(texts, w.text(i))
	}
	return texts
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// asText is a value as an argument of a command.
func asText(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case int64:
		return strconv.FormatInt(value, 10)
	}
	return "other"
}

func command(w words) call {
	return func(on commander) pending { return of(on.Do(ctx, w...)) }
}

func method(name string, w words) call {
	make, known := methods[name]
	if !known {
		giveUp("no such method: %s", name)
	}
	return func(on commander) (result pending) {
		defer func() {
			if err, ok := recover().(*strconv.NumError); ok {
				result = func() (any, error) { return nil, err }
			}
		}()
		return make(on, w)
	}
}

// lifetime is -2 for no key, -1 for no end, otherwise seconds.
func lifetime(cmd *redis.DurationCmd) pending {
	return func() (any, error) {
		left, err := cmd.Result()
		if left > 0 {
			left /= time.Second
		}
		return int64(left), err
	}
}

var ctx = context.Background()

// methods has the library's own method for each command.
var methods = map[string]func(c commander, w words) pending{
	"get": func(c commander, w words) pending { return of(c.Get(ctx, w.text(0))) },
	"set": func(c commander, w words) pending { return of(c.Set(ctx, w.text(0), w[1], 0)) },
	"setex": func(c commander, w words) pending {
		return of(c.SetEx(ctx, w.text(0), w[2], w.seconds(1)))
	},
	"getdel": func(c commander, w words) pending { return of(c.GetDel(ctx, w.text(0))) },
	"append": func(c commander, w words) pending { return of(c.Append(ctx, w.text(0), w.text(1))) },
	"strlen": func(c commander, w words) pending { return of(c.StrLen(ctx, w.text(0))) },
	"getrange": func(c commander, w words) pending {
		return of(c.GetRange(ctx, w.text(0), w.integer(1), w.integer(2)))
	},
	"incrby": func(c commander, w words) pending {
		return of(c.IncrBy(ctx, w.text(0), w.integer(1)))
	},
	"incrbyfloat": func(c commander, w words) pending {
		return of(c.IncrByFloat(ctx, w.text(0), w.float(1)))
	},
	"mget":   func(c commander, w words) pending { return of(c.MGet(ctx, w.texts(0)...)) },
	"mset":   func(c commander, w words) pending { return of(c.MSet(ctx, w...)) },
	"del":    func(c commander, w words) pending { return of(c.Del(ctx, w.texts(0)...)) },
	"exists": func(c commander, w words) pending { return of(c.Exists(ctx, w.texts(0)...)) },
	"expire": func(c commander, w words) pending {
		return of(c.Expire(ctx, w.text(0), w.seconds(1)))
	},
	"persist": func(c commander, w words) pending { return of(c.Persist(ctx, w.text(0))) },
	"ttl":     func(c commander, w words) pending { return lifetime(c.TTL(ctx, w.text(0))) },
	"type":    func(c commander, w words) pending { return of(c.Type(ctx, w.text(0))) },
	"hset":    func(c commander, w words) pending { return of(c.HSet(ctx, w.text(0), w[1:]...)) },
	"hget":    func(c commander, w words) pending { return of(c.HGet(ctx, w.text(0), w.text(1))) },
	"hmget": func(c commander, w words) pending {
		return of(c.HMGet(ctx, w.text(0), w.texts(1)...))
	},
	"hgetall": func(c commander, w words) pending { return of(c.HGetAll(ctx, w.text(0))) },
	"hdel": func(c commander, w words) pending {
		return of(c.HDel(ctx, w.text(0), w.texts(1)...))
	},
	"hincrby": func(c commander, w words) pending {
		return of(c.HIncrBy(ctx, w.text(0), w.text(1), w.integer(2)))
	},
	"hexists": func(c commander, w words) pending {
		return of(c.HExists(ctx, w.text(0), w.text(1)))
	},
	"lpush": func(c commander, w words) pending { return of(c.LPush(ctx, w.text(0), w[1:]...)) },
	"rpush": func(c commander, w words) pending { return of(c.RPush(ctx, w.text(0), w[1:]...)) },
	"lpop":  func(c commander, w words) pending { return of(c.LPop(ctx, w.text(0))) },
	"lrange": func(c commander, w words) pending {
		return of(c.LRange(ctx, w.text(0), w.integer(1), w.integer(2)))
	},
	"llen":     func(c commander, w words) pending { return of(c.LLen(ctx, w.text(0))) },
	"sadd":     func(c commander, w words) pending { return of(c.SAdd(ctx, w.text(0), w[1:]...)) },
	"srem":     func(c commander, w words) pending { return of(c.SRem(ctx, w.text(0), w[1:]...)) },
	"smembers": func(c commander, w words) pending { return of(c.SMembers(ctx, w.text(0))) },
	"sismember": func(c commander, w words) pending {
		return of(c.SIsMember(ctx, w.text(0), w[1]))
	},
	"smismember": func(c commander, w words) pending {
		return of(c.SMIsMember(ctx, w.text(0), w[1:]...))
	},
	"zadd": func(c commander, w words) pending {
		return of(c.ZAdd(ctx, w.text(0), redis.Z{Score: w.float(1), Member: w[2]}))
	},
	"zscore": func(c commander, w words) pending { return of(c.ZScore(ctx, w.text(0), w.text(1))) },
	"zincrby": func(c commander, w words) pending {
		return of(c.ZIncrBy(ctx, w.text(0), w.float(1), w.text(2)))
	},
	"zrange": func(c commander, w words) pending {
		return of(c.ZRange(ctx, w.text(0), w.integer(1), w.integer(2)))
	},
	"zrank": func(c commander, w words) pending { return of(c.ZRank(ctx, w.text(0), w.text(1))) },
	"zcard": func(c commander, w words) pending { return of(c.ZCard(ctx, w.text(0))) },
	"zrange_withscores": func(c commander, w words) pending {
		return of(c.ZRangeWithScores(ctx, w.text(0), w.integer(1), w.integer(2)))
	},
}
