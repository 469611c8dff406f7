package redis_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	redis "tendon.dev/redis"
)

// receive gives the next thing that a subscription receives, as text.
func receive(t testing.TB, p *redis.PubSub) string {
	t.Helper()
	value, err := p.Receive(bg(t))
	must(t, err)
	switch v := value.(type) {
	case *redis.Subscription:
		return fmt.Sprintf("%s %s %d", v.Kind, v.Channel, v.Count)
	case *redis.Message:
		return fmt.Sprintf("%s|%s|%s", v.Pattern, v.Channel, v.Payload)
	case *redis.Pong:
		return v.String()
	}
	t.Fatalf("received a %T", value)
	return ""
}

// listeners are a client for each protocol, alone and of a cluster.
func listeners(t *testing.T, test func(t *testing.T, c redis.UniversalClient, name string)) {
	t.Helper()
	for place, c := range surfaceClients(t) {
		t.Run(place, func(t *testing.T) {
			test(t, c, fmt.Sprintf("go:%s:%d", t.Name(), time.Now().UnixNano()))
		})
	}
}

func TestSubscribe(t *testing.T) {
	listeners(t, func(t *testing.T, c redis.UniversalClient, name string) {
		ctx := bg(t)
		p := c.Subscribe(ctx, name)
		defer p.Close()
		same(t, receive(t, p), nil, "subscribe "+name+" 1")
		same(t, p.String(), nil, "PubSub("+name+")")
		must(t, p.PSubscribe(ctx, name+":*"))
		same(t, receive(t, p), nil, "psubscribe "+name+":* 2")
		must(t, c.Publish(ctx, name, "a\x00\r\n\xff").Err())
		same(t, receive(t, p), nil, "|"+name+"|a\x00\r\n\xff")
		must(t, c.Publish(ctx, name+":x", "").Err())
		same(t, receive(t, p), nil, name+":*|"+name+":x|")
		must(t, p.Ping(ctx))
		same(t, receive(t, p), nil, "Pong")
		must(t, p.Unsubscribe(ctx, name))
		same(t, receive(t, p), nil, "unsubscribe "+name+" 1")
		must(t, p.PUnsubscribe(ctx))
		same(t, receive(t, p), nil, "punsubscribe "+name+":* 0")
	})
}

func TestShardedChannels(t *testing.T) {
	listeners(t, func(t *testing.T, c redis.UniversalClient, name string) {
		ctx := bg(t)
		p := c.SSubscribe(ctx, name)
		defer p.Close()
		same(t, receive(t, p), nil, "ssubscribe "+name+" 1")
		other := name + "{other}"
		must(t, p.SSubscribe(ctx, other))
		if got := receive(t, p); !strings.HasPrefix(got, "ssubscribe "+other) {
			t.Fatalf("received %q", got) // each node of a cluster counts for itself
		}
		for _, channel := range []string{name, other} {
			must(t, c.SPublish(ctx, channel, "hello").Err())
			same(t, receive(t, p), nil, "|"+channel+"|hello")
		}
		must(t, p.SUnsubscribe(ctx, name))
		if got := receive(t, p); !strings.HasPrefix(got, "sunsubscribe "+name) {
			t.Fatalf("received %q", got)
		}
	})
}

func TestReceiveTimeout(t *testing.T) {
	c, name := standalone(t)
	ctx := bg(t)
	p := c.Subscribe(ctx, name)
	defer p.Close()
	receive(t, p)
	_, err := p.ReceiveTimeout(ctx, 20*time.Millisecond)
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Fatalf("nothing to receive gave %v", err)
	}
	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	if _, err := p.Receive(short); err != context.DeadlineExceeded {
		t.Errorf("a context that ended gave %v", err)
	}
	must(t, c.Publish(ctx, name, "still there").Err())
	message, err := p.ReceiveMessage(ctx)
	must(t, err)
	same(t, message.Payload, nil, "still there")
}

func TestChannelOfMessages(t *testing.T) {
	c, name := standalone(t)
	ctx := bg(t)
	p := c.Subscribe(ctx, name)
	messages := p.Channel()
	if p.Channel() != messages {
		t.Error("a second Channel is another one")
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("ChannelWithSubscriptions after Channel did not panic")
			}
		}()
		p.ChannelWithSubscriptions()
	}()
	for c.Publish(ctx, name, "first").Val() == 0 { // until the server has subscribed it
		time.Sleep(time.Millisecond)
	}
	same(t, (<-messages).Payload, nil, "first")
	const count = 5000
	go func() {
		for i := range count {
			c.Publish(ctx, name, i)
		}
	}()
	for i := range count {
		same(t, (<-messages).Payload, nil, fmt.Sprint(i))
	}
	must(t, p.Close())
	if _, open := <-messages; open {
		t.Error("the channel is open after Close")
	}
	if err := p.Close(); err != redis.ErrClosed {
		t.Errorf("a second Close gave %v", err)
	}
	if _, err := p.Receive(ctx); err != redis.ErrClosed {
		t.Errorf("Receive after Close gave %v", err)
	}
	if err := p.Subscribe(ctx, name); err != redis.ErrClosed {
		t.Errorf("Subscribe after Close gave %v", err)
	}
}

func TestChannelThatNobodyReads(t *testing.T) {
	log := lastLine{make(chan string, 100)}
	redis.SetLogger(log)
	c, name := standalone(t)
	ctx := bg(t)
	p := c.Subscribe(ctx, name)
	defer p.Close()
	messages := p.Channel(redis.WithChannelSize(1),
		redis.WithChannelSendTimeout(time.Millisecond))
	for c.Publish(ctx, name, "kept").Val() == 0 {
		time.Sleep(time.Millisecond)
	}
	must(t, c.Publish(ctx, name, "dropped").Err())
	if line := <-log.lines; !strings.Contains(line, "dropped") {
		t.Errorf("the log says %q", line)
	}
	same(t, (<-messages).Payload, nil, "kept")
}

func TestChannelWithSubscriptions(t *testing.T) {
	c, name := standalone(t)
	ctx := bg(t)
	p := c.Subscribe(ctx, name)
	all := p.ChannelWithSubscriptions()
	same(t, (<-all).(*redis.Subscription).Channel, nil, name)
	must(t, c.Publish(ctx, name, "x").Err())
	same(t, (<-all).(*redis.Message).Payload, nil, "x")
	must(t, p.Close())
}

func TestSubscriptionsEndWithTheirClient(t *testing.T) {
	c := redis.NewClient(&redis.Options{Addr: servers(t).Standalone.addr()})
	ctx := bg(t)
	p := c.Subscribe(ctx, "go:ends")
	receive(t, p)
	if stats := c.PoolStats().PubSubStats; stats.Created != 1 || stats.Active != 1 {
		t.Errorf("the statistics say %+v", stats)
	}
	ended := make(chan error)
	go func() {
		_, err := p.Receive(ctx)
		ended <- err
	}()
	must(t, c.Close())
	if err := <-ended; err != redis.ErrClosed {
		t.Errorf("a waiting Receive gave %v", err)
	}
	if _, err := c.Subscribe(ctx, "go:ends").Receive(ctx); err != redis.ErrClosed {
		t.Errorf("a subscription of a closed client gave %v", err)
	}
	_ = p.Close()
}

func TestSubscriptionRefused(t *testing.T) {
	acl := servers(t).ACL
	ctx := bg(t)
	c := open(t, &redis.Options{Addr: acl.addr(), Username: acl.ReadonlyUser,
		Password: acl.ReadonlyPass})
	p := c.Subscribe(ctx, "go:forbidden")
	defer p.Close()
	if _, err := p.Receive(ctx); !redis.IsPermissionError(err) {
		t.Errorf("a forbidden channel gave %v", err)
	}
	unreachable := open(t, &redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})
	lost := unreachable.Subscribe(ctx, "x")
	defer lost.Close()
	var failure *redis.ClientError
	if _, err := lost.Receive(ctx); !errors.As(err, &failure) {
		t.Errorf("an unreachable server gave %v", err)
	}
	var zero redis.Client
	if _, err := zero.Subscribe(ctx, "x").Receive(ctx); err == nil {
		t.Error("a zero Client receives")
	}
}

func TestSubscriptionSurvivesItsConnection(t *testing.T) {
	redis.SetLogger(lastLine{make(chan string, 1000)})
	c := open(t, &redis.Options{Addr: startOwn(t, freePort(t)).addr()})
	ctx, name := bg(t), "lost"
	p := c.Subscribe(ctx, name)
	must(t, p.PSubscribe(ctx, name+"*x"))
	receive(t, p)
	receive(t, p)
	var gaps atomic.Int32
	p.OnGap(func(time.Duration) { gaps.Add(1) })
	killed, err := c.ClientKillByFilter(ctx, "TYPE", "pubsub").Result()
	must(t, err)
	if killed == 0 {
		t.Fatal("no connection was there to be killed")
	}
	same(t, receive(t, p), nil, "subscribe "+name+" 1")
	same(t, receive(t, p), nil, "psubscribe "+name+"*x 2")
	must(t, c.Publish(ctx, name, "again").Err())
	same(t, receive(t, p), nil, "|"+name+"|again")
	if gaps.Load() != 1 {
		t.Errorf("%d gaps were told", gaps.Load())
	}
	p.OnGap(func(time.Duration) { must(t, p.Close()) })
	must(t, c.ClientKillByFilter(ctx, "TYPE", "pubsub").Err())
	within(t, 20*time.Second, func() {
		for {
			if _, err := p.Receive(ctx); err == redis.ErrClosed {
				return
			}
		}
	})
}

func TestMonitor(t *testing.T) {
	for _, protocol := range []int{2, 3} {
		c := open(t, &redis.Options{Addr: servers(t).Standalone.addr(), Protocol: protocol})
		ctx := bg(t)
		lines := make(chan string)
		monitor := c.Monitor(ctx, lines)
		must(t, monitor.Err())
		monitor.Start()
		word := fmt.Sprintf("go-monitored-%d", time.Now().UnixNano())
		must(t, c.Echo(ctx, word).Err())
		for line := range lines {
			if strings.Contains(line, word) {
				break
			}
		}
		monitor.Stop()
		must(t, c.Ping(ctx).Err())
	}
}

func TestSubscriptionsAndClientsThatCloseTogether(t *testing.T) {
	for range 30 {
		c := redis.NewClient(&redis.Options{Addr: servers(t).Standalone.addr()})
		ctx := bg(t)
		var all sync.WaitGroup
		for range 4 {
			all.Add(1)
			go func() {
				defer all.Done()
				p := c.Subscribe(ctx, "go:together")
				for range p.Channel() {
				}
			}()
			all.Add(1)
			go func() {
				defer all.Done()
				p := c.Subscribe(ctx, "go:together")
				_, _ = p.ReceiveTimeout(ctx, time.Millisecond)
				_ = p.Close()
			}()
		}
		time.Sleep(time.Millisecond)
		must(t, c.Close())
		all.Wait()
	}
}
