package redis_test

import (
	"errors"
	"fmt"
	"net"
	"reflect"
	"sort"
	"strings"
	"testing"
	"time"

	redis "tendon.dev/redis"
)

// protocols runs a test with RESP2 and with RESP3: every result must be the same.
func protocols(t *testing.T, test func(t *testing.T, c *redis.Client, key string)) {
	t.Helper()
	for _, protocol := range []int{2, 3} {
		t.Run(fmt.Sprintf("RESP%d", protocol), func(t *testing.T) {
			c := open(t, &redis.Options{Addr: servers(t).Standalone.addr(), Protocol: protocol})
			test(t, c, prefix(t))
		})
	}
}

func equal(t testing.TB, got interface{}, err error, want interface{}) {
	t.Helper()
	if err != nil {
		t.Fatalf("got error %v, want %v", err, want)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got %#v, want %#v", got, want)
	}
}

func TestPingEchoTime(t *testing.T) {
	protocols(t, func(t *testing.T, c *redis.Client, _ string) {
		ctx := bg(t)
		pong, err := c.Ping(ctx).Result()
		same(t, pong, err, "PONG")
		text, err := c.Echo(ctx, "a\x00b\xff").Result()
		same(t, text, err, "a\x00b\xff")
		now, err := c.Time(ctx).Result()
		must(t, err)
		if d := time.Since(now); d < -time.Second || d > time.Minute {
			t.Errorf("the server's clock is %v away", d)
		}
	})
}

func TestStrings(t *testing.T) {
	protocols(t, func(t *testing.T, c *redis.Client, key string) {
		ctx := bg(t)
		ok, err := c.Set(ctx, key, "7", 0).Result()
		same(t, ok, err, "OK")
		number, err := c.Get(ctx, key).Int()
		same(t, number, err, 7)
		after, err := c.IncrBy(ctx, key, 5).Result()
		same(t, after, err, 12)
		after, err = c.Decr(ctx, key).Result()
		same(t, after, err, 11)
		float, err := c.IncrByFloat(ctx, key, 0.5).Result()
		same(t, float, err, 11.5)
		length, err := c.Append(ctx, key, "x").Result()
		same(t, length, err, 5)
		old, err := c.GetSet(ctx, key, "new").Result()
		same(t, old, err, "11.5x")
		old, err = c.GetDel(ctx, key).Result()
		same(t, old, err, "new")
		if _, err = c.Get(ctx, key).Result(); err != redis.Nil {
			t.Fatalf("a missing key gave %v", err)
		}
		did, err := c.SetNX(ctx, key, "1", time.Minute).Result()
		same(t, did, err, true)
		did, err = c.SetNX(ctx, key, "2", 0).Result()
		same(t, did, err, false)
		did, err = c.SetXX(ctx, key+"none", "2", 0).Result()
		same(t, did, err, false)
		must(t, c.MSet(ctx, key+"a", 1, key+"b", 2.5).Err())
		values, err := c.MGet(ctx, key+"a", key+"none", key+"b").Result()
		equal(t, values, err, []interface{}{"1", nil, "2.5"})
	})
}

func TestSetExpiration(t *testing.T) {
	protocols(t, func(t *testing.T, c *redis.Client, key string) {
		ctx := bg(t)
		must(t, c.Set(ctx, key, "v", time.Hour).Err())
		ttl, err := c.TTL(ctx, key).Result()
		if err != nil || ttl <= 59*time.Minute || ttl > time.Hour {
			t.Fatalf("TTL %v, %v", ttl, err)
		}
		must(t, c.Set(ctx, key, "w", redis.KeepTTL).Err())
		if ttl = c.PTTL(ctx, key).Val(); ttl <= 59*time.Minute {
			t.Fatalf("KeepTTL left %v", ttl)
		}
		const lifetime = 61500 * time.Millisecond
		must(t, c.Set(ctx, key, "x", lifetime).Err())
		if ttl = c.PTTL(ctx, key).Val(); ttl <= lifetime/2 || ttl > lifetime {
			t.Fatalf("PX left %v", ttl)
		}
		must(t, c.Set(ctx, key, "y", 0).Err())
		ttl, err = c.TTL(ctx, key).Result()
		same(t, ttl, err, -1)
		ttl, err = c.PTTL(ctx, key+"none").Result()
		same(t, ttl, err, -2)
		start := time.Now()
		did, err := c.Expire(ctx, key, time.Millisecond).Result()
		same(t, did, err, true)
		ttl = c.PTTL(ctx, key).Val()
		if gone := ttl <= 0 && time.Since(start) < time.Second; gone || ttl > time.Second {
			t.Fatalf("a short Expire left %v", ttl)
		}
	})
}

func TestHashes(t *testing.T) {
	protocols(t, func(t *testing.T, c *redis.Client, key string) {
		ctx := bg(t)
		count, err := c.HSet(ctx, key, map[string]interface{}{"name": "Ann", "age": 30}).Result()
		same(t, count, err, 2)
		all, err := c.HGetAll(ctx, key).Result()
		equal(t, all, err, map[string]string{"name": "Ann", "age": "30"})
		none, err := c.HGetAll(ctx, key+"none").Result()
		equal(t, none, err, map[string]string{})
		values, err := c.HMGet(ctx, key, "age", "x").Result()
		equal(t, values, err, []interface{}{"30", nil})
		if _, err = c.HGet(ctx, key, "x").Result(); err != redis.Nil {
			t.Fatalf("a missing field gave %v", err)
		}
		type person struct {
			Name string `redis:"name"`
			Age  *int   `redis:"age"`
			Skip string
		}
		var read person
		must(t, c.HGetAll(ctx, key).Scan(&read))
		if read.Name != "Ann" || read.Age == nil || *read.Age != 30 {
			t.Fatalf("scanned %+v", read)
		}
		must(t, c.HSet(ctx, key, person{Name: "Bob", Age: read.Age}).Err())
		read = person{}
		must(t, c.HMGet(ctx, key, "name", "age").Scan(&read))
		if read.Name != "Bob" || *read.Age != 30 {
			t.Fatalf("scanned %+v", read)
		}
		count, err = c.HDel(ctx, key, "name", "x").Result()
		same(t, count, err, 1)
		sum, err := c.HIncrBy(ctx, key, "age", 2).Result()
		same(t, sum, err, 32)
	})
}

func TestListsAndSets(t *testing.T) {
	protocols(t, func(t *testing.T, c *redis.Client, key string) {
		ctx := bg(t)
		count, err := c.RPush(ctx, key+"l", "a", "b", []byte("c")).Result()
		same(t, count, err, 3)
		list, err := c.LRange(ctx, key+"l", 0, -1).Result()
		equal(t, list, err, []string{"a", "b", "c"})
		first, err := c.LPop(ctx, key+"l").Result()
		same(t, first, err, "a")
		list, err = c.LPopCount(ctx, key+"l", 9).Result()
		equal(t, list, err, []string{"b", "c"})
		if err = c.RPop(ctx, key+"l").Err(); err != redis.Nil {
			t.Fatalf("an empty list gave %v", err)
		}
		list, err = c.LRange(ctx, key+"l", 0, -1).Result()
		equal(t, list, err, []string{})

		count, err = c.SAdd(ctx, key+"s", []string{"x", "y"}).Result()
		same(t, count, err, 2)
		members, err := c.SMembers(ctx, key+"s").Result()
		sort.Strings(members)
		equal(t, members, err, []string{"x", "y"})
		is, err := c.SMIsMember(ctx, key+"s", "x", "z").Result()
		equal(t, is, err, []bool{true, false})
		set, err := c.SMembersMap(ctx, key+"s").Result()
		equal(t, set, err, map[string]struct{}{"x": {}, "y": {}})
		in, err := c.SIsMember(ctx, key+"s", "x").Result()
		same(t, in, err, true)
	})
}

func TestSortedSets(t *testing.T) {
	protocols(t, func(t *testing.T, c *redis.Client, key string) {
		ctx := bg(t)
		count, err := c.ZAdd(ctx, key, redis.Z{Score: 1, Member: "one"}, redis.Z{Score: 2.5,
			Member: "two"},
			redis.Z{Score: 3, Member: "three"}).Result()
		same(t, count, err, 3)
		names, err := c.ZRange(ctx, key, 0, -1).Result()
		equal(t, names, err, []string{"one", "two", "three"})
		scored, err := c.ZRangeWithScores(ctx, key, 0, 1).Result()
		equal(t, scored, err, []redis.Z{{Score: 1, Member: "one"}, {Score: 2.5, Member: "two"}})
		score, err := c.ZScore(ctx, key, "two").Result()
		same(t, score, err, 2.5)
		if err = c.ZScore(ctx, key, "none").Err(); err != redis.Nil {
			t.Fatalf("a missing member gave %v", err)
		}
		names, err = c.ZRangeByScore(ctx, key, &redis.ZRangeBy{Min: "(1", Max: "+inf",
			Count: 1}).Result()
		equal(t, names, err, []string{"two"})
		names, err = c.ZRevRangeByScore(ctx, key, &redis.ZRangeBy{Min: "-inf", Max: "2.5"}).Result()
		equal(t, names, err, []string{"two", "one"})
		scores, err := c.ZMScore(ctx, key, "one", "none").Result()
		equal(t, scores, err, []float64{1, 0})
		popped, err := c.ZPopMin(ctx, key).Result()
		equal(t, popped, err, []redis.Z{{Score: 1, Member: "one"}})
		sum, err := c.ZIncrBy(ctx, key, 0.5, "two").Result()
		same(t, sum, err, 3)
		rank, err := c.ZRank(ctx, key, "two").Result()
		same(t, rank, err, 1)
	})
}

func TestKeysAndScan(t *testing.T) {
	protocols(t, func(t *testing.T, c *redis.Client, key string) {
		ctx := bg(t)
		const total = 250
		pipe := c.Pipeline()
		for i := 0; i < total; i++ {
			pipe.Set(ctx, fmt.Sprintf("%s%d", key, i), i, time.Minute)
		}
		_, err := pipe.Exec(ctx)
		must(t, err)
		seen := map[string]bool{}
		it := c.Scan(ctx, 0, key+"*", 10).Iterator()
		for it.Next(ctx) {
			seen[it.Val()] = true
		}
		must(t, it.Err())
		if len(seen) != total {
			t.Fatalf("scanned %d of %d keys", len(seen), total)
		}
		if keys := c.Keys(ctx, key+"1?").Val(); len(keys) != 10 {
			t.Fatalf("KEYS gave %v", keys)
		}
		count, err := c.Exists(ctx, key+"1", key+"2", key+"none").Result()
		same(t, count, err, 2)
		count, err = c.Del(ctx, key+"1", key+"none").Result()
		same(t, count, err, 1)
		kind, err := c.Type(ctx, key+"2").Result()
		same(t, kind, err, "string")
		kind, err = c.Type(ctx, key+"none").Result()
		same(t, kind, err, "none")
		size, err := c.DBSize(ctx).Result()
		if err != nil || size < total-1 {
			t.Fatalf("DBSIZE %d, %v", size, err)
		}
	})
}

func TestServerCommands(t *testing.T) {
	protocols(t, func(t *testing.T, c *redis.Client, _ string) {
		ctx := bg(t)
		info, err := c.Info(ctx, "server").Result()
		if err != nil || !strings.Contains(info, "tcp_port") {
			t.Fatalf("INFO %q, %v", info, err)
		}
		config, err := c.ConfigGet(ctx, "maxmemory").Result()
		equal(t, config, err, map[string]string{"maxmemory": "0"})
		must(t, c.ConfigSet(ctx, "maxmemory", "0").Err())
		id, err := c.ClientID(ctx).Result()
		if err != nil || id <= 0 {
			t.Fatalf("CLIENT ID %d, %v", id, err)
		}
	})
}

func TestScripts(t *testing.T) {
	protocols(t, func(t *testing.T, c *redis.Client, key string) {
		ctx := bg(t)
		value, err := c.Eval(ctx, "return {KEYS[1], ARGV[1], 3, false}", []string{key},
			"x").Result()
		equal(t, value, err, []interface{}{key, "x", int64(3), nil})
		if err = c.Eval(ctx, "return nil", nil).Err(); err != redis.Nil {
			t.Fatalf("a script returning nil gave %v", err)
		}
		script := redis.NewScript(fmt.Sprintf("return ARGV[1] .. '%d'", time.Now().UnixNano()))
		first, err := script.Run(ctx, c, nil, "n").Text()
		must(t, err)
		second, err := script.Run(ctx, c, nil, "n").Text()
		same(t, second, err, first)
		known, err := script.Exists(ctx, c).Result()
		equal(t, known, err, []bool{true})
	})
}

func TestDoReachesEverything(t *testing.T) {
	protocols(t, func(t *testing.T, c *redis.Client, key string) {
		ctx := bg(t)
		number, err := c.Do(ctx, "SADD", key, "a").Int()
		same(t, number, err, 1)
		list, err := c.Do(ctx, "object", "help").Slice()
		if err != nil || len(list) < 3 {
			t.Fatalf("OBJECT HELP %v, %v", list, err)
		}
		err = c.Do(ctx, "no-such-command", 1).Err()
		var reply redis.Error
		if !errors.As(err, &reply) || !strings.HasPrefix(err.Error(), "ERR unknown command") {
			t.Fatalf("an unknown command gave %v", err)
		}
		if err = c.Do(ctx).Err(); err == nil {
			t.Fatal("a command without a name was accepted")
		}
		cmd := c.Set(ctx, key+"s", "b", time.Hour)
		if got := cmd.String(); got != "set "+key+"s b ex 3600: OK" {
			t.Fatalf("String is %q", got)
		}
		if got := c.Get(ctx, key+"none").String(); got != "get "+key+"none: redis: nil" {
			t.Fatalf("String is %q", got)
		}
	})
}

type colour struct{ name string }

func (c colour) MarshalBinary() ([]byte, error) { return []byte("colour:" + c.name), nil }

func (c *colour) UnmarshalBinary(data []byte) error {
	c.name = strings.TrimPrefix(string(data), "colour:")
	return nil
}

func TestArguments(t *testing.T) {
	c, _ := standalone(t)
	ctx := bg(t)
	seven, text := 7, "p"
	var noInt *int
	var noText *string
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	for _, one := range []struct {
		arg  interface{}
		want string
	}{
		{"text", "text"}, {[]byte{0, 1, 255}, "\x00\x01\xff"}, {nil, ""}, {-5, "-5"}, {int8(-8),
			"-8"},
		{int16(16), "16"}, {int32(32), "32"}, {int64(-64), "-64"}, {uint(1), "1"}, {uint8(8), "8"},
		{uint16(16), "16"}, {uint32(32), "32"}, {uint64(1<<64 - 1), "18446744073709551615"},
		{1e21, "1000000000000000000000"}, {float32(0.5), "0.5"}, {0.1, "0.1"}, {true, "1"}, {false,
			"0"},
		{at, "2026-01-02T03:04:05.000000006Z"}, {time.Second, "1000000000"}, {colour{"red"},
			"colour:red"},
		{&seven, "7"}, {&text, "p"}, {noInt, "0"}, {noText, ""}, {net.IP{1, 2, 3, 4},
			"\x01\x02\x03\x04"},
		{strings.Repeat("z", 100_000), strings.Repeat("z", 100_000)},
		{[]byte(strings.Repeat("y", 1_000_000)), strings.Repeat("y", 1_000_000)},
	} {
		got, err := c.Echo(ctx, one.arg).Result()
		if err != nil || got != one.want {
			t.Errorf("%T %.40v became %.40q, %v", one.arg, one.arg, got, err)
		}
	}
	type plain struct{ A int }
	for _, arg := range []interface{}{plain{1}, &plain{1}, []int{1}, make(chan int),
		(*plain)(nil)} {
		err := c.Set(ctx, "go:bad", arg, 0).Err()
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("can't marshal %T", arg)) {
			t.Errorf("%T gave %v", arg, err)
		}
	}
	must(t, c.Ping(ctx).Err())
}

func TestStringConversions(t *testing.T) {
	c, key := standalone(t)
	ctx := bg(t)
	must(t, c.Set(ctx, key, colour{"blue"}, time.Minute).Err())
	var read colour
	must(t, c.Get(ctx, key).Scan(&read))
	if read.name != "blue" {
		t.Fatalf("scanned %+v", read)
	}
	must(t, c.Set(ctx, key, "12.5", time.Minute).Err())
	float, err := c.Get(ctx, key).Float64()
	same(t, float, err, 12.5)
	if _, err = c.Get(ctx, key).Int(); err == nil {
		t.Fatal("12.5 was taken for an integer")
	}
	if _, err = c.Get(ctx, key+"none").Bytes(); err != redis.Nil {
		t.Fatalf("Bytes of a missing key gave %v", err)
	}
	now := time.Now()
	must(t, c.Set(ctx, key, now, time.Minute).Err())
	back, err := c.Get(ctx, key).Time()
	if err != nil || !back.Equal(now) {
		t.Fatalf("%v came back as %v, %v", now, back, err)
	}
	data, err := c.Get(ctx, key).Bytes()
	equal(t, string(data), err, now.Format(time.RFC3339Nano))
}

func TestUnixSocketAndDatabase(t *testing.T) {
	ctx := bg(t)
	key := prefix(t)
	zero := open(t, &redis.Options{Addr: servers(t).Standalone.UnixSocket})
	three := open(t, &redis.Options{Network: "unix", Addr: servers(t).Standalone.UnixSocket, DB: 3})
	must(t, three.Set(ctx, key, "in 3", time.Minute).Err())
	if err := zero.Get(ctx, key).Err(); err != redis.Nil {
		t.Fatalf("database 0 has the key of database 3: %v", err)
	}
	value, err := three.GetDel(ctx, key).Result()
	same(t, value, err, "in 3")
}

func TestUsersAndNames(t *testing.T) {
	ctx := bg(t)
	acl := servers(t).ACL
	c := open(t, &redis.Options{Addr: acl.addr(), Username: acl.Username, Password: acl.Password,
		ClientName: "go-test", IdentitySuffix: "unit"})
	name, err := c.ClientGetName(ctx).Result()
	same(t, name, err, "go-test")
	who, err := c.Do(ctx, "acl", "whoami").Text()
	same(t, who, err, acl.Username)
	one := open(t, &redis.Options{Addr: acl.addr(), Password: acl.DefaultPassword})
	who, err = one.Do(ctx, "acl", "whoami").Text()
	same(t, who, err, "default")
	reader := open(t, &redis.Options{Addr: acl.addr(), Username: acl.ReadonlyUser,
		Password: acl.ReadonlyPass})
	if err := reader.Set(ctx, "app:x", 1, 0).Err(); !redis.IsPermissionError(err) {
		t.Fatalf("a reader's SET gave %v", err)
	}
}
