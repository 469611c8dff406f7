package redis_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	redis "tendon.dev/redis"
)

func TestCloseWithRequestsInFlight(t *testing.T) {
	c := open(t, &redis.Options{Addr: hanging(t), ReadTimeout: -1})
	var wait sync.WaitGroup
	for g := 0; g < 500; g++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			if err := c.Incr(context.Background(), "k").Err(); !errors.Is(err, redis.ErrClosed) {
				t.Errorf("got %v", err)
			}
		}()
	}
	wait.Add(1)
	go func() {
		defer wait.Done()
		if err := c.BLPop(context.Background(), 0, "k").Err(); !errors.Is(err, redis.ErrClosed) {
			t.Errorf("a blocking command gave %v", err)
		}
	}()
	conn := c.Conn()
	wait.Add(1)
	go func() {
		defer wait.Done()
		if err := conn.Get(context.Background(), "k").Err(); !errors.Is(err, redis.ErrClosed) {
			t.Errorf("a Conn gave %v", err)
		}
	}()
	time.Sleep(100 * time.Millisecond)
	within(t, soon, func() {
		must(t, c.Close())
		wait.Wait()
	})
	if err := conn.Close(); err != nil {
		t.Errorf("closing a Conn after its client gave %v", err)
	}
}

func TestCloseAtAnyMoment(t *testing.T) {
	addr := servers(t).Standalone.addr()
	for round := 0; round < 30; round++ {
		c := redis.NewClient(&redis.Options{Addr: addr})
		var wait sync.WaitGroup
		for g := 0; g < 8; g++ {
			wait.Add(1)
			go func() {
				defer wait.Done()
				ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
				defer cancel()
				for i := 0; ; i++ {
					text := fmt.Sprint(g, "-", i)
					got, err := c.Echo(ctx, text).Result()
					if errors.Is(err, redis.ErrClosed) {
						return
					}
					if err != nil || got != text {
						t.Errorf("%q, %v", got, err)
						return
					}
				}
			}()
		}
		time.Sleep(time.Duration(round) * time.Millisecond)
		must(t, c.Close())
		wait.Wait()
	}
}

// The server is killed while goroutines increment: no acknowledged increment may be lost from the
// count the client keeps, every failure says whether it was executed, and the client works again
// afterwards.
func TestServerKilledInTheMiddle(t *testing.T) {
	own := startOwn(t, freePort(t))
	c := open(t, &redis.Options{Addr: own.addr(), DialTimeout: 300 * time.Millisecond,
		ReadTimeout: 300 * time.Millisecond, MaxRetries: 1})
	var acknowledged, failures atomic.Int64
	stop := make(chan struct{})
	var wait sync.WaitGroup
	for g := 0; g < 20; g++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for {
				select {
				case <-stop:
					return
				default:
				}
				err := c.Incr(context.Background(), "n").Err()
				var failure *redis.ClientError
				switch {
				case err == nil:
					acknowledged.Add(1)
				case errors.As(err, &failure):
					failures.Add(1)
				case redis.IsLoadingError(err):
				default:
					t.Errorf("got %T %v", err, err)
				}
			}
		}()
	}
	defer wait.Wait()
	defer close(stop)
	eventually(t, "nothing was acknowledged", func() bool { return acknowledged.Load() > 100 })
	own.kill()
	eventually(t, "nothing failed without a server", func() bool { return failures.Load() > 0 })
	startOwn(t, own.port)
	during := acknowledged.Load()
	eventually(t, "the client does not work again",
		func() bool { return acknowledged.Load() > during+100 })
	t.Logf("%d acknowledged before the server was back, %d failed, %d in all", during,
		failures.Load(), acknowledged.Load())
}

func TestServerFrozen(t *testing.T) {
	own := startOwn(t, freePort(t))
	c := open(t, &redis.Options{Addr: own.addr(), ReadTimeout: time.Second,
		MaxRetries: -1})
	must(t, c.Set(bg(t), "k", "v", 0).Err())
	own.freeze()
	within(t, soon, func() {
		err := c.Incr(bg(t), "n").Err()
		var failure *redis.ClientError
		if !errors.As(err,
			&failure) || !failure.Timeout() || failure.Executed() != redis.ExecutedUnknown {
			t.Fatalf("a frozen server gave %v", err)
		}
	})
}

// A server from before HELLO is talked to in RESP2.
func TestServerWithoutHello(t *testing.T) {
	modern := asServer(func(args []string) (string, error) { return "$-1\r\n", nil })
	addr := startFake(t, func(args []string) (string, error) {
		if args[0] == "HELLO" || args[0] == "CLIENT" {
			return "-ERR unknown command '" + args[0] + "'\r\n", nil
		}
		return modern(args)
	})
	c := open(t, &redis.Options{Addr: addr, DialTimeout: soon, MaxRetries: -1})
	if err := c.Get(bg(t), "k").Err(); err != redis.Nil {
		t.Fatalf("got %v", err)
	}
}

func TestHangUpIsEOF(t *testing.T) {
	addr := startFake(t, asServer(func([]string) (string, error) { return "", io.EOF }))
	c := open(t, &redis.Options{Addr: addr, MaxRetries: -1})
	err := c.Incr(bg(t), "k").Err()
	var failure *redis.ClientError
	if !errors.Is(err, io.EOF) || !errors.As(err, &failure) {
		t.Fatalf("got %v", err)
	}
	if failure.Executed() != redis.ExecutedUnknown {
		t.Errorf("executed %v", failure.Executed())
	}
}

// A read may be sent again after a lost reply, an increment may not: it may have been executed.
func TestRetriesAreSafe(t *testing.T) {
	var gets, incrs atomic.Int32
	addr := startFake(t, asServer(func(args []string) (string, error) {
		switch args[0] {
		case "get":
			if gets.Add(1) < 3 {
				return "", io.EOF
			}
			return "$1\r\nv\r\n", nil
		}
		incrs.Add(1)
		return "", io.EOF
	}))
	c := open(t, &redis.Options{Addr: addr, MaxRetries: 3})
	value, err := c.Get(bg(t), "k").Result()
	same(t, value, err, "v")
	if err := c.Incr(bg(t), "k").Err(); err == nil {
		t.Fatal("an increment nobody answered succeeded")
	}
	if n := incrs.Load(); n != 1 {
		t.Errorf("the increment was sent %d times", n)
	}
}

func TestPoolLimits(t *testing.T) {
	addr := servers(t).Standalone.addr()
	ctx := bg(t)
	c := open(t, &redis.Options{Addr: addr, PoolSize: 2, PoolTimeout: time.Second,
		MaxRetries: -1})
	conns := []*redis.Conn{c.Conn(), c.Conn(), c.Conn()}
	var err error
	for _, conn := range conns {
		defer conn.Close()
		if err = conn.Ping(ctx).Err(); err != nil {
			break
		}
	}
	if !errors.Is(err, redis.ErrPoolTimeout) {
		t.Fatalf("a third connection of two gave %v", err)
	}
	if stats := c.PoolStats(); stats.Timeouts == 0 || stats.TotalConns > 2 {
		t.Errorf("statistics %+v", stats)
	}
	c = open(t, &redis.Options{Addr: addr, PoolSize: 5, MaxActiveConns: 1, MaxRetries: -1})
	first, second := c.Conn(), c.Conn()
	defer first.Close()
	defer second.Close()
	must(t, first.Ping(ctx).Err())
	within(t, soon, func() {
		if err := second.Ping(ctx).Err(); !errors.Is(err, redis.ErrPoolExhausted) {
			t.Fatalf("a second connection of one gave %v", err)
		}
	})
}

func TestMinIdleConns(t *testing.T) {
	c := open(t, &redis.Options{Addr: servers(t).Standalone.addr(), PoolSize: 20, MinIdleConns: 5})
	must(t, c.Ping(bg(t)).Err())
	eventually(t, "five idle connections never were",
		func() bool { return c.PoolStats().IdleConns >= 5 })
}

type countingLimiter struct {
	refuse   error
	reported []error
}

func (l *countingLimiter) Allow() error           { return l.refuse }
func (l *countingLimiter) ReportResult(err error) { l.reported = append(l.reported, err) }

func TestLimiter(t *testing.T) {
	limiter := &countingLimiter{}
	c := open(t, &redis.Options{Addr: servers(t).Standalone.addr(), Limiter: limiter})
	ctx := bg(t)
	must(t, c.Ping(ctx).Err())
	_ = c.Do(ctx, "no-such-command").Err()
	if len(limiter.reported) != 2 || limiter.reported[0] != nil || limiter.reported[1] == nil {
		t.Errorf("reported %v", limiter.reported)
	}
	limiter.refuse = errors.New("open circuit")
	if err := c.Ping(ctx).Err(); err != limiter.refuse || len(limiter.reported) != 2 {
		t.Errorf("a refused command gave %v, reported %v", err, limiter.reported)
	}
}
