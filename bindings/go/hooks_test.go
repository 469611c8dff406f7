package redis_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	redis "tendon.dev/redis"
)

// recorder is a hook that writes down what passes it.
type recorder struct {
	name  string
	mutex *sync.Mutex
	lines *[]string
	dials bool
}

func (r recorder) note(words ...string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	*r.lines = append(*r.lines, r.name+" "+strings.Join(words, " "))
}

func (r recorder) DialHook(next redis.DialHook) redis.DialHook {
	if !r.dials {
		return next
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		r.note("dials", network)
		return next(ctx, network, addr)
	}
}

func (r recorder) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		r.note("before", cmd.Name())
		err := next(ctx, cmd)
		r.note("after", cmd.Name())
		return err
	}
}

func (r recorder) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		var names []string
		for _, cmd := range cmds {
			names = append(names, cmd.Name())
		}
		r.note(names...)
		return next(ctx, cmds)
	}
}

func newRecorder(name string) recorder {
	return recorder{name: name, mutex: &sync.Mutex{}, lines: &[]string{}}
}

// take returns what was written since it was asked last.
func (r recorder) take() string {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	text := strings.Join(*r.lines, ", ")
	*r.lines = nil
	return text
}

func TestHooksInOrder(t *testing.T) {
	c, key := standalone(t)
	ctx := bg(t)
	outer := newRecorder("outer")
	inner := outer
	inner.name = "inner"
	c.AddHook(outer)
	c.AddHook(inner)
	must(t, c.Set(ctx, key, 1, time.Minute).Err())
	same(t, outer.take(), nil,
		"outer before set, inner before set, inner after set, outer after set")
	_, err := c.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.Incr(ctx, key)
		return p.Get(ctx, key).Err()
	})
	must(t, err)
	same(t, outer.take(), nil, "outer incr get, inner incr get")
	cmds, err := c.TxPipelined(ctx, func(p redis.Pipeliner) error {
		return p.Incr(ctx, key).Err()
	})
	must(t, err)
	same(t, outer.take(), nil, "outer multi incr exec, inner multi incr exec")
	if len(cmds) != 1 || cmds[0].(*redis.IntCmd).Val() != 3 {
		t.Errorf("the transaction answered %v", cmds)
	}
}

func TestHooksOfDerivedHandles(t *testing.T) {
	c, key := standalone(t)
	ctx := bg(t)
	r := newRecorder("hook")
	c.AddHook(r)
	conn := c.Conn()
	defer conn.Close()
	must(t, conn.Ping(ctx).Err())
	same(t, r.take(), nil, "hook before ping, hook after ping")
	must(t, c.Watch(ctx, func(tx *redis.Tx) error {
		_, err := tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
			return p.Set(ctx, key, 1, time.Minute).Err()
		})
		return err
	}, key))
	same(t, r.take(), nil, "hook before watch, hook after watch, hook multi set exec")
	must(t, c.WithTimeout(time.Second).Ping(ctx).Err())
	same(t, r.take(), nil, "hook before ping, hook after ping")
	cluster := openCluster(t, &redis.ClusterOptions{Addrs: servers(t).Cluster.addrs()})
	cluster.AddHook(r)
	if err := cluster.Get(ctx, "{go}none").Err(); err != redis.Nil {
		t.Errorf("a missing key gave %v", err)
	}
	same(t, r.take(), nil, "hook before get, hook after get")
}

// breaker is a hook that answers by itself.
type breaker struct{ err error }

func (breaker) DialHook(next redis.DialHook) redis.DialHook { return next }

func (b breaker) ProcessHook(redis.ProcessHook) redis.ProcessHook {
	return func(context.Context, redis.Cmder) error { return b.err }
}

func (b breaker) ProcessPipelineHook(redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(context.Context, []redis.Cmder) error { return b.err }
}

func TestHookThatAnswersByItself(t *testing.T) {
	c, _ := standalone(t)
	ctx := bg(t)
	open := errors.New("circuit open")
	c.AddHook(breaker{open})
	if err := c.Ping(ctx).Err(); err != open {
		t.Errorf("a command gave %v", err)
	}
	_, err := c.Pipelined(ctx, func(p redis.Pipeliner) error { return p.Ping(ctx).Err() })
	if err != open {
		t.Errorf("a pipeline gave %v", err)
	}
}

func TestDialHook(t *testing.T) {
	c, _ := standalone(t)
	ctx := bg(t)
	r := newRecorder("hook")
	r.dials = true
	c.AddHook(r)
	must(t, c.Ping(ctx).Err())
	same(t, r.take(), nil, "hook before ping, hook dials tcp, hook after ping")
}

type lastLine struct{ lines chan string }

func (l lastLine) Printf(_ context.Context, format string, _ ...interface{}) { l.lines <- format }

func TestDialHookTooLate(t *testing.T) {
	log := lastLine{make(chan string, 10)}
	redis.SetLogger(log)
	ctx := bg(t)
	c, _ := standalone(t)
	must(t, c.Ping(ctx).Err())
	r := newRecorder("hook")
	r.dials = true
	c.AddHook(r)
	if line := <-log.lines; !strings.Contains(line, "DialHook is not called") {
		t.Errorf("the log says %q", line)
	}
	openCluster(t, &redis.ClusterOptions{Addrs: []string{"localhost:1"}}).AddHook(r)
	if line := <-log.lines; !strings.Contains(line, "cluster") {
		t.Errorf("the log says %q", line)
	}
	must(t, c.Ping(ctx).Err())
}

func TestOnConnect(t *testing.T) {
	ctx := bg(t)
	for name, opt := range map[string]*redis.Options{
		"plain": {Addr: servers(t).Standalone.addr()},
		"login": {Addr: servers(t).ACL.addr(), Username: servers(t).ACL.Username,
			Password: servers(t).ACL.Password},
	} {
		t.Run(name, func(t *testing.T) {
			opt.OnConnect = func(ctx context.Context, conn *redis.Conn) error {
				_, err := conn.TxPipelined(ctx, func(p redis.Pipeliner) error {
					p.Ping(ctx)
					return p.ClientSetName(ctx, "connected").Err()
				})
				if err != nil {
					return err
				}
				return conn.Process(ctx, redis.NewMapStringInterfaceCmd(ctx, "hello", 3))
			}
			opt.PoolSize = 1
			name, err := open(t, opt).ClientGetName(ctx).Result()
			same(t, name, err, "connected")
		})
	}
	refusal := errors.New("not today")
	c := open(t, &redis.Options{Addr: servers(t).Standalone.addr(), MaxRetries: -1,
		OnConnect: func(context.Context, *redis.Conn) error { return refusal }})
	if err := c.Ping(ctx).Err(); !errors.Is(err, refusal) {
		t.Errorf("a refused connection gave %v", err)
	}
}

func TestCredentialsProvider(t *testing.T) {
	acl := servers(t).ACL
	ctx := bg(t)
	var asked atomic.Int32
	provide := func() (string, string) {
		asked.Add(1)
		return acl.Username, acl.Password
	}
	c := open(t, &redis.Options{Addr: acl.addr(), CredentialsProvider: provide, PoolSize: 1})
	who, err := c.ACLWhoAmI(ctx).Result()
	same(t, who, err, acl.Username)
	if asked.Load() == 0 {
		t.Error("nobody asked for the credentials")
	}
	c = open(t, &redis.Options{Addr: acl.addr(), CredentialsProvider: provide, PoolSize: 1,
		OnConnect: func(context.Context, *redis.Conn) error { return nil }})
	who, err = c.ACLWhoAmI(ctx).Result()
	same(t, who, err, acl.Username)
	c = open(t, &redis.Options{Addr: acl.addr(), CredentialsProvider: provide, MaxRetries: -1,
		CredentialsProviderContext: func(context.Context) (string, string, error) {
			return acl.Username, "wrong", nil
		}})
	if err := c.Ping(ctx).Err(); !redis.IsAuthError(err) || strings.Contains(err.Error(), "wrong") {
		t.Errorf("wrong credentials gave %v", err)
	}
	failed := errors.New("no token")
	c = open(t, &redis.Options{Addr: acl.addr(), MaxRetries: -1,
		CredentialsProviderContext: func(context.Context) (string, string, error) {
			return "", "", failed
		}})
	if err := c.Ping(ctx).Err(); !errors.Is(err, failed) {
		t.Errorf("a provider that failed gave %v", err)
	}
}

func TestCredentialsThatChange(t *testing.T) {
	own := startOwn(t, freePort(t), "--cluster-enabled", "yes", "--requirepass", "one",
		"--cluster-require-full-coverage", "no")
	ctx := bg(t)
	admin := open(t, &redis.Options{Addr: own.addr(), Password: "one", PoolSize: 1})
	must(t, admin.ClusterAddSlotsRange(ctx, 0, 16383).Err())
	for !strings.Contains(admin.ClusterInfo(ctx).Val(), "cluster_state:ok") {
		must(t, ctx.Err())
		time.Sleep(10 * time.Millisecond)
	}
	var asked atomic.Int32
	provide := func() (string, string) {
		return "default", []string{"one", "two"}[min(asked.Add(1)-1, 1)]
	}
	for name, c := range map[string]redis.UniversalClient{
		"one server": open(t, &redis.Options{Addr: own.addr(), CredentialsProvider: provide}),
		"cluster": openCluster(t, &redis.ClusterOptions{Addrs: []string{own.addr()},
			CredentialsProvider: provide}),
	} {
		asked.Store(0)
		must(t, admin.ConfigSet(ctx, "requirepass", "one").Err())
		must(t, c.Set(ctx, "k", name, 0).Err())
		must(t, admin.ConfigSet(ctx, "requirepass", "two").Err())
		// Connections that have logged in stay; the next ones need the new password.
		must(t, admin.ClientKillByFilter(ctx, "TYPE", "normal", "SKIPME", "yes").Err())
		// One that was sent on a connection just killed may have been executed: it is not repeated.
		value, err := c.Get(ctx, "k").Result()
		var failure *redis.ClientError
		if errors.As(err, &failure) && failure.Executed() == redis.ExecutedUnknown {
			value, err = c.Get(ctx, "k").Result()
		}
		same(t, value, err, name)
		must(t, c.Watch(ctx, func(tx *redis.Tx) error {
			_, err := tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
				return p.Incr(ctx, "n").Err()
			})
			return err
		}, "n"))
		if asked.Load() != 2 {
			t.Errorf("%s: asked %d times, not twice", name, asked.Load())
		}
		must(t, c.Close())
		if err := c.Ping(ctx).Err(); err != redis.ErrClosed {
			t.Errorf("a closed client gave %v", err)
		}
	}
}

func TestWithTimeout(t *testing.T) {
	silent := startFake(t, asServer(func([]string) (string, error) {
		time.Sleep(time.Hour)
		return "", nil
	}))
	c := open(t, &redis.Options{Addr: silent, ReadTimeout: time.Minute, MaxRetries: -1})
	within(t, 10*time.Second, func() {
		err := c.WithTimeout(50*time.Millisecond).Get(bg(t), "key").Err()
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("a silent server gave %v", err)
		}
	})
}

func TestOptionsOfOneServerOnly(t *testing.T) {
	hosts := servers(t).Cluster.addrs()
	for name, opt := range map[string]*redis.UniversalOptions{
		"OnConnect": {OnConnect: func(context.Context, *redis.Conn) error { return nil }},
		"Dialer": {Dialer: func(context.Context, string, string) (net.Conn, error) {
			return nil, nil
		}},
	} {
		opt.Addrs = hosts
		c := redis.NewUniversalClient(opt)
		err := c.Ping(bg(t)).Err()
		var failure *redis.ClientError
		if !errors.As(err, &failure) || failure.Status != "UNSUPPORTED" ||
			!strings.Contains(err.Error(), "ClusterOptions."+name) {
			t.Errorf("%s gave %v", name, err)
		}
		_ = c.Close()
	}
}
