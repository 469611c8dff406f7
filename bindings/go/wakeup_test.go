package redis_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	redis "tendon.dev/redis"
)

const (
	// A call that nobody wakes ends when a deadline does, and not before.
	lostAfter = patience
	// Longer than any pause of a loaded machine, and shorter than a lost wake-up.
	slowest = patience / 2
)

// echoes runs ECHO from `count` goroutines at once and fails the test when a call took as long as
// only one that was woken by a deadline does.
func echoes(t *testing.T, c *redis.Client, count int, text string) {
	t.Helper()
	ctx := context.Background()
	var wait sync.WaitGroup
	start := time.Now()
	for g := 0; g < count; g++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			mine := fmt.Sprint(text, g)
			if got, err := c.Echo(ctx, mine).Result(); err != nil || got != mine {
				t.Errorf("%q, %v", got, err)
			}
		}()
	}
	wait.Wait()
	if took := time.Since(start); took > slowest {
		t.Fatalf("%d calls took %v: a wake-up was lost", count, took)
	}
}

// Go's poller is edge-triggered: what the reader leaves unread tells nobody again. Lone calls and
// bursts alternate, so that submitting, driving and sleeping meet in every order.
func TestNoWakeUpIsLost(t *testing.T) {
	c := open(t, &redis.Options{Addr: servers(t).Standalone.addr(), ReadTimeout: lostAfter,
		MaxRetries: -1})
	for round := 0; round < 1500; round++ {
		count := 1
		if round%3 == 2 {
			count = 1 + rand.IntN(40)
		}
		echoes(t, c, count, fmt.Sprint(round, "-"))
		if round%50 == 49 {
			time.Sleep(time.Millisecond) // until the reader sleeps for sure
		}
	}
}

// What completes while it is submitted makes no descriptor readable; its caller must not wait for
// one.
func TestRefusedAtOnce(t *testing.T) {
	c := open(t, &redis.Options{Addr: servers(t).Standalone.addr(), ReadTimeout: lostAfter})
	must(t, c.Ping(bg(t)).Err())
	within(t, slowest, func() {
		for round := 0; round < 100; round++ {
			if err := c.Do(context.Background(), "subscribe", "channel").Err(); err == nil {
				t.Fatal("a subscription on a shared connection was not refused")
			}
			conn := c.Conn() // an idle connection is lent at once
			must(t, conn.Ping(context.Background()).Err())
			must(t, conn.Close())
		}
	})
	var wait sync.WaitGroup
	for g := 0; g < 200; g++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			if err := c.Do(context.Background(), "subscribe", "channel").Err(); err == nil {
				t.Error("not refused")
			}
		}()
	}
	within(t, slowest, wait.Wait)
}

// readers is how many goroutines drive a client.
func readers() int {
	stacks := make([]byte, 4<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	return strings.Count(string(stacks), "core.(*reader).run")
}

func descriptors(t testing.TB) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("this system has no /proc/self/fd")
	}
	return len(all)
}

// eventually fails the test when the condition does not come true.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); {
		time.Sleep(5 * time.Millisecond)
		if time.Now().After(deadline) {
			t.Fatal(what)
		}
	}
}

func TestForgottenClients(t *testing.T) {
	before, files := readers(), descriptors(t)
	use := func(opt *redis.Options) {
		c := redis.NewClient(opt)
		must(t, c.Ping(bg(t)).Err())
		pipe := c.Pipeline()
		pipe.Echo(bg(t), "a")
		_, err := pipe.Exec(bg(t))
		must(t, err)
		conn := c.Conn()
		must(t, conn.Ping(bg(t)).Err())
		must(t, conn.Close())
	}
	for i := 0; i < 10; i++ {
		use(&redis.Options{Addr: servers(t).Standalone.addr()})
		use(&redis.Options{Addr: servers(t).Standalone.addr(), Dialer: dialTCP})
	}
	eventually(t, "readers or descriptors of forgotten clients stay", func() bool {
		runtime.GC()
		return readers() <= before && descriptors(t) <= files
	})
}

// A client whose handle is gone goes on for the calls that are under way.
func TestForgottenInTheMiddleOfACall(t *testing.T) {
	addr := startFake(t, asServer(func([]string) (string, error) {
		for i := 0; i < 5; i++ {
			runtime.GC()
			time.Sleep(10 * time.Millisecond)
		}
		return "$1\r\nv\r\n", nil
	}))
	value, err := redis.NewClient(&redis.Options{Addr: addr}).Get(bg(t), "k").Result()
	same(t, value, err, "v")
}

func TestManyClients(t *testing.T) {
	before := readers()
	_, port, err := net.SplitHostPort(servers(t).Standalone.addr())
	must(t, err)
	all := make([]*redis.Client, 100)
	for i := range all {
		// A name would cost each client a thread, for the seconds that it takes to look it up.
		all[i] = open(t, &redis.Options{Addr: "127.0.0.1:" + port, PoolSize: 2})
	}
	var wait sync.WaitGroup
	for i, c := range all {
		for g := 0; g < 5; g++ {
			wait.Add(1)
			go func() {
				defer wait.Done()
				text := fmt.Sprint(i, "-", g)
				if got, err := c.Echo(bg(t), text).Result(); err != nil || got != text {
					t.Errorf("%q, %v", got, err)
				}
			}()
		}
	}
	wait.Wait()
	if n := threads(t); n > threadsMost {
		t.Errorf("%d operating system threads for %d clients", n, len(all))
	}
	for _, c := range all {
		wait.Add(1)
		go func() {
			defer wait.Done()
			must(t, c.Close())
		}()
	}
	wait.Wait()
	eventually(t, "readers of closed clients stay", func() bool { return readers() <= before })
}

func dialTCP(ctx context.Context, network, addr string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, addr)
}
