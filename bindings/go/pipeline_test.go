package redis_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	redis "tendon.dev/redis"
)

func TestPipeline(t *testing.T) {
	protocols(t, func(t *testing.T, c *redis.Client, key string) {
		ctx := bg(t)
		pipe := c.Pipeline()
		set := pipe.Set(ctx, key, "v", time.Minute)
		get := pipe.Get(ctx, key)
		none := pipe.Get(ctx, key+"none")
		bad := pipe.LPush(ctx, key, "x")
		incr := pipe.Incr(ctx, key+"n")
		if pipe.Len() != 5 || get.Val() != "" {
			t.Fatalf("a command ran before Exec: %d queued, %q", pipe.Len(), get.Val())
		}
		cmds, err := pipe.Exec(ctx)
		if len(cmds) != 5 || err != redis.Nil {
			t.Fatalf("%d commands, first error %v", len(cmds), err)
		}
		same(t, set.Val(), set.Err(), "OK")
		same(t, get.Val(), get.Err(), "v")
		same(t, incr.Val(), incr.Err(), 1)
		if none.Err() != redis.Nil || !redis.HasErrorPrefix(bad.Err(), "WRONGTYPE") {
			t.Fatalf("errors %v and %v", none.Err(), bad.Err())
		}
		if cmds, err = pipe.Exec(ctx); len(cmds) != 0 || err != nil {
			t.Fatalf("an empty pipeline gave %v, %v", cmds, err)
		}
	})
}

func TestPipelinedCallback(t *testing.T) {
	c, key := standalone(t)
	ctx := bg(t)
	stop := errors.New("stop")
	cmds, err := c.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.Set(ctx, key, "v", time.Minute)
		return stop
	})
	if cmds != nil || err != stop || c.Exists(ctx, key).Val() != 0 {
		t.Fatalf("%v, %v, or the command was sent", cmds, err)
	}
	cmds, err = c.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.Set(ctx, key, "v", time.Minute)
		p.Set(ctx, key, struct{}{}, 0)
		return nil
	})
	if err == nil || cmds[0].Err() == nil || c.Exists(ctx, key).Val() != 0 {
		t.Fatalf("a pipeline with a bad argument gave %v and was sent", err)
	}
}

func TestLargePipeline(t *testing.T) {
	c, key := standalone(t)
	ctx := bg(t)
	const total = 25_000
	pipe := c.Pipeline()
	cmds := make([]*redis.StringCmd, total)
	for i := range cmds {
		cmds[i] = pipe.Echo(ctx, fmt.Sprintf("%s%d", key, i))
	}
	_, err := pipe.Exec(ctx)
	must(t, err)
	for i, cmd := range cmds {
		same(t, cmd.Val(), cmd.Err(), fmt.Sprintf("%s%d", key, i))
	}
}

func TestLargeReplies(t *testing.T) {
	protocols(t, func(t *testing.T, c *redis.Client, key string) {
		ctx := bg(t)
		big := strings.Repeat("0123456789abcdef", 1<<16)
		must(t, c.Set(ctx, key, big, time.Minute).Err())
		got, err := c.Get(ctx, key).Result()
		if err != nil || got != big {
			t.Fatalf("%d bytes came back as %d, %v", len(big), len(got), err)
		}
		values := make([]interface{}, 5000)
		for i := range values {
			values[i] = i
		}
		must(t, c.RPush(ctx, key+"l", values...).Err())
		var numbers []int
		must(t, c.LRange(ctx, key+"l", 0, -1).ScanSlice(&numbers))
		for i, number := range numbers {
			if number != i {
				t.Fatalf("element %d is %d", i, number)
			}
		}
		if len(numbers) != len(values) {
			t.Fatalf("%d of %d elements", len(numbers), len(values))
		}
	})
}

func TestTransaction(t *testing.T) {
	protocols(t, func(t *testing.T, c *redis.Client, key string) {
		ctx := bg(t)
		var incr *redis.IntCmd
		var all *redis.MapStringStringCmd
		cmds, err := c.TxPipelined(ctx, func(p redis.Pipeliner) error {
			p.HSet(ctx, key+"h", "f", "v")
			incr = p.Incr(ctx, key)
			all = p.HGetAll(ctx, key+"h")
			return nil
		})
		if err != nil || len(cmds) != 3 {
			t.Fatalf("%d commands, %v", len(cmds), err)
		}
		same(t, incr.Val(), incr.Err(), 1)
		equal(t, all.Val(), all.Err(), map[string]string{"f": "v"})

		var good, bad *redis.IntCmd
		_, err = c.TxPipelined(ctx, func(p redis.Pipeliner) error {
			bad = p.LPush(ctx, key, "x") // fails when it runs: the key is a string
			good = p.Incr(ctx, key)
			return nil
		})
		if !redis.HasErrorPrefix(err, "WRONGTYPE") || bad.Err() != err || good.Val() != 2 {
			t.Fatalf("%v, %v, %d", err, bad.Err(), good.Val())
		}

		_, err = c.TxPipelined(ctx, func(p redis.Pipeliner) error {
			p.Incr(ctx, key)
			p.Do(ctx, "get") // refused when it is queued: a wrong number of arguments
			return nil
		})
		if !redis.IsExecAbortError(err) || c.Get(ctx, key).Val() != "2" {
			t.Fatalf("a refused command gave %v", err)
		}
	})
}

func TestWatch(t *testing.T) {
	protocols(t, func(t *testing.T, c *redis.Client, key string) {
		ctx := bg(t)
		must(t, c.Set(ctx, key, 1, time.Minute).Err())
		double := func(disturb bool) error {
			return c.Watch(ctx, func(tx *redis.Tx) error {
				number, err := tx.Get(ctx, key).Int()
				if err != nil {
					return err
				}
				if disturb {
					must(t, c.Set(ctx, key, 100, time.Minute).Err())
				}
				_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
					p.Set(ctx, key, number*2, time.Minute)
					return nil
				})
				return err
			}, key)
		}
		must(t, double(false))
		value, err := c.Get(ctx, key).Int()
		same(t, value, err, 2)
		if err := double(true); err != redis.TxFailedErr {
			t.Fatalf("a changed key gave %v", err)
		}
		value, err = c.Get(ctx, key).Int()
		same(t, value, err, 100)
	})
}

func TestWatchManyAtOnce(t *testing.T) {
	c, key := standalone(t)
	ctx := bg(t)
	const workers, rounds = 8, 25
	done := make(chan error, workers)
	for w := 0; w < workers; w++ {
		go func() {
			for i := 0; i < rounds; i++ {
				if err := increment(ctx, c, key); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for w := 0; w < workers; w++ {
		must(t, <-done)
	}
	total, err := c.Get(ctx, key).Int()
	same(t, total, err, workers*rounds)
}

// increment adds one by reading and writing, which only a transaction makes safe.
func increment(ctx context.Context, c *redis.Client, key string) error {
	for {
		err := c.Watch(ctx, func(tx *redis.Tx) error {
			number, err := tx.Get(ctx, key).Int()
			if err != nil && err != redis.Nil {
				return err
			}
			_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
				p.Set(ctx, key, number+1, time.Minute)
				return nil
			})
			return err
		}, key)
		if err != redis.TxFailedErr {
			return err
		}
	}
}

func TestConnKeepsItsConnection(t *testing.T) {
	c, key := standalone(t)
	ctx := bg(t)
	conn := c.Conn()
	id, err := conn.ClientID(ctx).Result()
	must(t, err)
	must(t, conn.Select(ctx, 5).Err())
	must(t, conn.Set(ctx, key, "in 5", time.Minute).Err())
	again, err := conn.ClientID(ctx).Result()
	same(t, again, err, id)
	if err := c.Get(ctx, key).Err(); err != redis.Nil {
		t.Fatalf("the client sees the database of a Conn: %v", err)
	}
	must(t, conn.Del(ctx, key).Err())
	must(t, conn.Close())
	if err := conn.Ping(ctx).Err(); err != redis.ErrClosed {
		t.Fatalf("a closed Conn gave %v", err)
	}
	// Whoever gets that connection next must be in database 0 again.
	other := c.Conn()
	defer other.Close()
	must(t, other.Set(ctx, key, "in 0", time.Minute).Err())
	value, err := c.Get(ctx, key).Result()
	same(t, value, err, "in 0")
}

func TestStatefulPipeline(t *testing.T) {
	c, key := standalone(t)
	ctx := bg(t)
	_, err := c.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.Select(ctx, 4)
		p.Set(ctx, key, "in 4", time.Second)
		return nil
	})
	must(t, err)
	if err := c.Get(ctx, key).Err(); err != redis.Nil {
		t.Fatalf("SELECT in a pipeline reached the shared connection: %v", err)
	}
}

func TestBlockingCommands(t *testing.T) {
	protocols(t, func(t *testing.T, c *redis.Client, key string) {
		ctx := bg(t)
		popped := make(chan *redis.StringSliceCmd, 1)
		go func() { popped <- c.BLPop(ctx, 0, key) }()
		time.Sleep(50 * time.Millisecond)
		must(t, c.RPush(ctx, key, "x").Err()) // goes through although a command blocks
		cmd := <-popped
		equal(t, cmd.Val(), cmd.Err(), []string{key, "x"})
		within(t, soon, func() {
			if err := c.BLPop(ctx, time.Second, key).Err(); err != redis.Nil {
				t.Fatalf("a timeout gave %v", err)
			}
		})
	})
}
