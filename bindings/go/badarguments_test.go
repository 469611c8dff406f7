package redis_test

import (
	"context"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	redis "tendon.dev/redis"
)

// ever never ends.
var ever = context.Background()

// notSent are calls whose arguments are found wrong before anything is sent; go-redis answers each
// with an error too, some only after it has given up a connection.
var notSent = map[string]func(c redis.Cmdable) redis.Cmder{
	"a struct without a text": func(c redis.Cmdable) redis.Cmder {
		return c.Set(ever, "k", struct{ A int }{1}, 0)
	},
	"a channel in a list": func(c redis.Cmdable) redis.Cmder {
		return c.RPush(ever, "k", "a", make(chan int))
	},
	"too many positions": func(c redis.Cmdable) redis.Cmder {
		return c.BitPos(ever, "k", 1, 2, 3, 4)
	},
	"too many counts": func(c redis.Cmdable) redis.Cmder {
		return c.ZPopMin(ever, "k", 1, 2)
	},
	"too many samples": func(c redis.Cmdable) redis.Cmder {
		return c.MemoryUsage(ever, "k", 1, 2)
	},
	"half a pair": func(c redis.Cmdable) redis.Cmder {
		return c.BitFieldRO(ever, "k", "u8")
	},
	"no unit": func(c redis.Cmdable) redis.Cmder {
		return c.BitCount(ever, "k", &redis.BitCount{Unit: "WORD"})
	},
	"a store to read": func(c redis.Cmdable) redis.Cmder {
		return c.GeoRadius(ever, "k", 1, 2, &redis.GeoRadiusQuery{Store: "s"})
	},
	"nothing to store in": func(c redis.Cmdable) redis.Cmder {
		return c.GeoRadiusStore(ever, "k", 1, 2, &redis.GeoRadiusQuery{})
	},
	"in and out": func(c redis.Cmdable) redis.Cmder {
		return c.ClientTrackingOn(ever, &redis.ClientTrackingOptions{OptIn: true, OptOut: true})
	},
	"prefixes without broadcast": func(c redis.Cmdable) redis.Cmder {
		return c.ClientTrackingOn(ever, &redis.ClientTrackingOptions{Prefixes: []string{"a"}})
	},
	"no module": func(c redis.Cmdable) redis.Cmder {
		return c.ModuleLoadex(ever, nil)
	},
}

func TestArgumentsThatAreNotSent(t *testing.T) {
	sent := make(chan []string, 100)
	addr := startFake(t, asServer(func(args []string) (string, error) {
		sent <- args
		return "+OK\r\n", nil
	}))
	c := open(t, &redis.Options{Addr: addr})
	must(t, c.Ping(ever).Err())
	for name, call := range notSent {
		err := call(c).Err()
		var reply redis.Error
		if err == nil || errors.As(err, &reply) {
			t.Errorf("%s gave %v", name, err)
		}
	}
	if len(sent) > 0 {
		t.Errorf("%q was sent", <-sent)
	}
}

// refusedByServer are calls that the server must judge: nothing of them is left out silently.
var refusedByServer = map[string]func(c redis.UniversalClient, key string) redis.Cmder{
	"options that exclude each other": func(c redis.UniversalClient, key string) redis.Cmder {
		return c.ZAddArgs(ever, key, redis.ZAddArgs{NX: true, GT: true,
			Members: []redis.Z{{Score: 1, Member: "a"}}})
	},
	"two orders": func(c redis.UniversalClient, key string) redis.Cmder {
		return c.ZRangeArgs(ever, redis.ZRangeArgs{Key: key, Start: "-", Stop: "+",
			ByLex: true, ByScore: true})
	},
	"no members": func(c redis.UniversalClient, key string) redis.Cmder {
		return c.SAdd(ever, key)
	},
	"half a hash": func(c redis.UniversalClient, key string) redis.Cmder {
		return c.HSet(ever, key, "f")
	},
	"no keys": func(c redis.UniversalClient, _ string) redis.Cmder {
		return c.Del(ever)
	},
	"no bounds": func(c redis.UniversalClient, key string) redis.Cmder {
		return c.ZRangeByScore(ever, key, nil)
	},
	"nobody to sort": func(c redis.UniversalClient, key string) redis.Cmder {
		return c.ZInter(ever, nil)
	},
	"a score of words": func(c redis.UniversalClient, key string) redis.Cmder {
		return c.ZCount(ever, key, "a", "b")
	},
	"a word to add": func(c redis.UniversalClient, key string) redis.Cmder {
		return c.Do(ever, "incrby", key, "x")
	},
	"a negative timeout": func(c redis.UniversalClient, key string) redis.Cmder {
		return c.BLPop(ever, -time.Second, key)
	},
	"an unknown place": func(c redis.UniversalClient, key string) redis.Cmder {
		return c.LMove(ever, key, key, "UP", "DOWN")
	},
}

func TestArgumentsThatTheServerRefuses(t *testing.T) {
	for place, c := range surfaceClients(t) {
		for name, call := range refusedByServer {
			err := call(c, "{go}refused").Err()
			var reply redis.Error
			var failure *redis.ClientError
			isReply := errors.As(err, &reply) && strings.HasPrefix(reply.Error(), "ERR")
			if !isReply && !errors.As(err, &failure) {
				t.Errorf("%s, %s gave %v", place, name, err)
			}
			must(t, c.Ping(ever).Err())
		}
	}
}

func TestArgumentsOfAllKinds(t *testing.T) {
	for place, c := range surfaceClients(t) {
		ctx, key := bg(t), "{go}kinds"
		for _, one := range []struct {
			value interface{}
			want  string
		}{
			{nil, ""}, {"", ""}, {[]byte(nil), ""}, {"\xff\xfe\x00", "\xff\xfe\x00"},
			{int64(math.MinInt64), "-9223372036854775808"},
			{uint64(math.MaxUint64), "18446744073709551615"}, {1e21, "1000000000000000000000"},
			{true, "1"}, {new(int), "0"}, {(*string)(nil), ""}, {time.Second, "1000000000"},
		} {
			must(t, c.Set(ctx, key, one.value, time.Minute).Err())
			text, err := c.Get(ctx, key).Result()
			if err != nil || text != one.want {
				t.Errorf("%s: %#v became %q, %v", place, one.value, text, err)
			}
		}
		// The empty key is a key.
		must(t, c.Set(ctx, "", "empty", time.Minute).Err())
		text, err := c.Get(ctx, "").Result()
		same(t, text, err, "empty")
		must(t, c.Del(ctx, "").Err())
		must(t, c.Set(ctx, key, math.MaxInt64, time.Minute).Err())
		if err := c.Incr(ctx, key).Err(); !redis.HasErrorPrefix(err, "ERR increment") {
			t.Errorf("%s: beyond the largest integer gave %v", place, err)
		}
		number, err := c.Get(ctx, key).Int64()
		same(t, number, err, math.MaxInt64)
		must(t, c.Del(ctx, key).Err())
	}
}

func TestMethodsThatPanic(t *testing.T) {
	c, _ := standalone(t)
	conn := c.Conn()
	defer conn.Close()
	name := "surface"
	both := redis.LibraryInfo{LibName: &name, LibVer: &name}
	for what, call := range map[string]func(){
		"Quit":                      func() { c.Quit(ever) },
		"Sync":                      func() { c.Sync(ever) },
		"ClientSetInfo of nothing":  func() { conn.ClientSetInfo(ever, redis.LibraryInfo{}) },
		"ClientSetInfo of too much": func() { conn.ClientSetInfo(ever, both) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s did not panic", what)
				}
			}()
			call()
		}()
	}
	// Servers before 7.2 do not know it.
	err := conn.ClientSetInfo(ever, redis.LibraryInfo{LibName: &name}).Err()
	if err != nil && !redis.HasErrorPrefix(err, "ERR ") {
		t.Errorf("ClientSetInfo gave %v", err)
	}
}

func TestRawReplies(t *testing.T) {
	for place, c := range surfaceClients(t) {
		ctx, key := bg(t), "{go}raw"
		must(t, c.HSet(ctx, key, "f", "v\r\n").Err())
		raw, isRaw := c.(interface {
			DoRaw(ctx context.Context, args ...interface{}) *redis.RawCmd
			DoRawWriteTo(ctx context.Context, w io.Writer, args ...interface{}) *redis.RawWriteToCmd
		})
		if !isRaw {
			t.Fatalf("%s has no raw replies", place)
		}
		data, err := raw.DoRaw(ctx, "hgetall", key).Bytes()
		same(t, string(data), err, "%1\r\n$1\r\nf\r\n$3\r\nv\r\n\r\n")
		var text strings.Builder
		written, err := raw.DoRawWriteTo(ctx, &text, "hget", key, "none").Result()
		same(t, written, err, 3)
		same(t, text.String(), nil, "_\r\n")
		buf := make([]byte, 2)
		must(t, c.Set(ctx, key, "ab", time.Minute).Err())
		count, err := c.GetToBuffer(ctx, key, buf).Result()
		same(t, count, err, 2)
		must(t, c.Set(ctx, key, "abc", time.Minute).Err())
		if err := c.GetToBuffer(ctx, key, buf).Err(); err == nil {
			t.Errorf("%s: 3 bytes fit into 2", place)
		}
		must(t, c.Del(ctx, key).Err())
	}
}
