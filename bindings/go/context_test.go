package redis_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	redis "tendon.dev/redis"
)

// hanging answers the handshake and nothing else.
func hanging(t testing.TB) string {
	return startFake(t, asServer(func([]string) (string, error) { return "", nil }))
}

func TestContextDeadline(t *testing.T) {
	c := open(t, &redis.Options{Addr: hanging(t), ReadTimeout: patience})
	must(t, c.Ping(bg(t)).Err()) // connected, so that the command is sent for sure
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	start := time.Now()
	err := c.Incr(ctx, "k").Err()
	if took := time.Since(start); took < 490*time.Millisecond || took > soon {
		t.Errorf("a deadline of 500 ms took %v", took)
	}
	var failure *redis.ClientError
	if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &failure) {
		t.Fatalf("got %v", err)
	}
	if failure.Executed() != redis.ExecutedUnknown || !failure.Timeout() {
		t.Errorf("executed %v, timeout %v", failure.Executed(), failure.Timeout())
	}
	if err := c.Get(ctx, "k").Err(); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a context that ended before gave %v", err)
	}
}

func TestContextCancel(t *testing.T) {
	c := open(t, &redis.Options{Addr: hanging(t), ReadTimeout: patience})
	must(t, c.Ping(bg(t)).Err()) // connected, so that the command is sent for sure
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(500*time.Millisecond, cancel)
	within(t, soon, func() {
		err := c.Incr(ctx, "k").Err()
		var failure *redis.ClientError
		if !errors.Is(err, context.Canceled) || !errors.As(err, &failure) {
			t.Fatalf("got %v", err)
		}
		if failure.Executed() != redis.ExecutedUnknown {
			t.Errorf("executed %v, want unknown", failure.Executed())
		}
	})
	pipe := c.Pipeline()
	cmds := []redis.Cmder{pipe.Incr(ctx, "a"), pipe.Incr(ctx, "b")}
	if _, err := pipe.Exec(ctx); !errors.Is(err, context.Canceled) || !errors.Is(cmds[1].Err(),
		err) {
		t.Errorf("a pipeline gave %v and %v", err, cmds[1].Err())
	}
	ctx, cancel = context.WithCancel(context.Background())
	time.AfterFunc(60*time.Millisecond, cancel)
	within(t, soon, func() {
		if err := c.BLPop(ctx, 0, "k").Err(); !errors.Is(err, context.Canceled) {
			t.Fatalf("a blocking command gave %v", err)
		}
	})
}

func TestReadTimeout(t *testing.T) {
	c := open(t, &redis.Options{Addr: hanging(t), ReadTimeout: 500 * time.Millisecond,
		MaxRetries: -1})
	start := time.Now()
	err := c.Incr(bg(t), "k").Err()
	if took := time.Since(start); took < 490*time.Millisecond || took > soon {
		t.Errorf("a ReadTimeout of 500 ms took %v", took)
	}
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the context has not ended, yet the error says so: %v", err)
	}
}

// storm counts what became of calls that gave up at random moments.
type storm struct {
	answered, gaveUp, unknown atomic.Int64
	seen                      sync.Map // values that INCR gave
}

// Many goroutines give up at random moments; no answer may ever reach another command, and a
// command whose error says that it was not executed was not.
func TestValuesNeverMix(t *testing.T) {
	c, prefix := standalone(t)
	counter := prefix + "counter"
	var s storm
	var wait sync.WaitGroup
	var increments atomic.Int64
	until := time.Now().Add(3 * time.Second)
	for g := 0; g < 60; g++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for i := 0; time.Now().Before(until); i++ {
				ctx, cancel := impatient()
				switch rand.IntN(3) {
				case 0:
					s.increment(t, ctx, c, counter, &increments)
				case 1:
					s.echo(t, ctx, c, fmt.Sprintf("%d-%d", g, i))
				case 2:
					s.echoes(t, ctx, c, fmt.Sprintf("%d-%d", g, i))
				}
				cancel()
			}
		}()
	}
	wait.Wait()
	if s.answered.Load() == 0 || s.gaveUp.Load() == 0 {
		t.Fatalf("%d answered, %d gave up: the test shows nothing", s.answered.Load(),
			s.gaveUp.Load())
	}
	executed, err := c.Get(bg(t), counter).Int64()
	must(t, err)
	if executed < increments.Load() || executed > increments.Load()+s.unknown.Load() {
		t.Errorf("%d increments were executed; %d were acknowledged, %d unknown", executed,
			increments.Load(), s.unknown.Load())
	}
	t.Logf("%d answered, %d gave up, %d of them unknown", s.answered.Load(), s.gaveUp.Load(),
		s.unknown.Load())
}

// impatient is a context that ends soon, later, or not at all.
func impatient() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	switch rand.IntN(3) {
	case 0:
		time.AfterFunc(time.Duration(rand.IntN(500))*time.Microsecond, cancel)
	case 1:
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, time.Duration(rand.IntN(2000))*time.Microsecond)
		return ctx, func() { stop(); cancel() }
	}
	return ctx, cancel
}

// note counts the outcome, and reports whether there is a value.
func (s *storm) note(t *testing.T, err error) bool {
	t.Helper()
	switch {
	case err == nil:
		s.answered.Add(1)
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		s.gaveUp.Add(1)
	default:
		t.Errorf("got %v", err)
	}
	return err == nil
}

func (s *storm) increment(t *testing.T, ctx context.Context, c *redis.Client, key string,
	increments *atomic.Int64) {
	value, err := c.Incr(ctx, key).Result()
	if s.note(t, err) {
		increments.Add(1)
		if _, again := s.seen.LoadOrStore(value, true); again {
			t.Errorf("two increments gave %d", value)
		}
		return
	}
	var failure *redis.ClientError
	if errors.As(err, &failure) && failure.Executed() != redis.ExecutedNo {
		s.unknown.Add(1)
	}
}

func (s *storm) echo(t *testing.T, ctx context.Context, c *redis.Client, text string) {
	text += strings.Repeat("x", rand.IntN(200))
	got, err := c.Echo(ctx, text).Result()
	if s.note(t, err) && got != text {
		t.Errorf("asked for %q, got %q", text, got)
	}
}

func (s *storm) echoes(t *testing.T, ctx context.Context, c *redis.Client, text string) {
	pipe := c.Pipeline()
	var cmds [4]*redis.StringCmd
	for i := range cmds {
		cmds[i] = pipe.Echo(ctx, fmt.Sprint(text, "/", i))
	}
	_, _ = pipe.Exec(ctx)
	for i, cmd := range cmds {
		got, err := cmd.Result()
		if s.note(t, err) && got != fmt.Sprint(text, "/", i) {
			t.Errorf("asked for %s/%d, got %q", text, i, got)
		}
	}
}

// threadsMost is for Go's own threads, which it keeps once they have been needed in any test, the
// core's I/O thread and its resolvers: nothing that grows with ten thousand goroutines.
const threadsMost = 100

// threads is how many operating system threads this process has.
func threads(t testing.TB) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("this system has no /proc/self/status")
	}
	for _, line := range strings.Split(string(status), "\n") {
		if rest, ok := strings.CutPrefix(line, "Threads:"); ok {
			count, err := strconv.Atoi(strings.TrimSpace(rest))
			must(t, err)
			return count
		}
	}
	t.Fatal("no Threads in /proc/self/status")
	return 0
}

func TestTenThousandGoroutines(t *testing.T) {
	c, key := standalone(t)
	ctx := bg(t)
	must(t, c.Ping(ctx).Err())
	const total = 10_000
	var wait sync.WaitGroup
	var failed atomic.Int64
	var most atomic.Int64
	for g := 0; g < total; g++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for i := 0; i < 3; i++ {
				text := fmt.Sprintf("%s%d:%d", key, g, i)
				if got, err := c.Echo(ctx, text).Result(); err != nil || got != text {
					t.Errorf("%q, %v", got, err)
					failed.Add(1)
					return
				}
			}
			if g%500 == 0 {
				most.Store(max(most.Load(), int64(threads(t))))
			}
		}()
	}
	wait.Wait()
	if n := most.Load(); n > threadsMost {
		t.Errorf("%d operating system threads", n)
	}
	t.Logf("at most %d threads, %d failed", most.Load(), failed.Load())
}

func TestTenThousandWaiting(t *testing.T) {
	c := open(t, &redis.Options{Addr: hanging(t), ReadTimeout: -1})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var wait sync.WaitGroup
	for g := 0; g < 10_000; g++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			if err := c.Get(ctx, "k").Err(); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		}()
	}
	for deadline := time.Now().Add(patience); c.PoolStats().PendingRequests < 10_000; {
		if time.Now().After(deadline) {
			t.Fatalf("only %d wait", c.PoolStats().PendingRequests)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if n := threads(t); n > threadsMost {
		t.Errorf("%d operating system threads while all wait", n)
	}
	cancel()
	within(t, patience, wait.Wait)
}
