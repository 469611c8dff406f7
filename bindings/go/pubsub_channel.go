package redis

import (
	"context"
	"time"
)

// ChannelOption changes how PubSub.Channel hands messages over.
type ChannelOption func(c *channel)

// WithChannelSize sets how many messages the Go channel holds, default 100.
func WithChannelSize(size int) ChannelOption {
	return func(c *channel) { c.size = size }
}

// WithChannelSendTimeout sets how long a message waits for room in the Go channel, default 60 s.
// After that it is dropped and the log says so.
func WithChannelSendTimeout(d time.Duration) ChannelOption {
	return func(c *channel) { c.sendTimeout = d }
}

// WithChannelHealthCheckInterval exists for compatibility: libtendon tests silent connections by
// itself, at its option health_check_interval_ms.
func WithChannelHealthCheckInterval(time.Duration) ChannelOption { return func(*channel) {} }

// WithChannelPingTimeout exists for compatibility; see WithChannelHealthCheckInterval.
func WithChannelPingTimeout(time.Duration) ChannelOption { return func(*channel) {} }

// WithChannelReconnectTimeout exists for compatibility: libtendon connects again at its options
// connect_timeout_ms and reconnect_backoff_max_ms.
func WithChannelReconnectTimeout(time.Duration) ChannelOption { return func(*channel) {} }

// channel moves what a PubSub receives into a Go channel.
type channel struct {
	size        int
	sendTimeout time.Duration
	messages    chan *Message
	all         chan interface{}
}

func newChannel(options []ChannelOption) *channel {
	c := &channel{size: 100, sendTimeout: time.Minute}
	for _, option := range options {
		option(c)
	}
	return c
}

// Channel is a Go channel of the messages, filled from the first call on and closed with the
// PubSub. Only the first call's options count. Receive must not be used beside it. It panics after
// ChannelWithSubscriptions.
func (p *PubSub) Channel(options ...ChannelOption) <-chan *Message {
	p.once.Do(func() {
		c := newChannel(options)
		c.messages = make(chan *Message, c.size)
		p.channel = c
		go fill(p, c, c.messages)
	})
	if p.channel.messages == nil {
		panic("redis: Channel can't be called after ChannelWithSubscriptions")
	}
	return p.channel.messages
}

// ChannelSize is Channel with room for so many messages.
func (p *PubSub) ChannelSize(size int) <-chan *Message { return p.Channel(WithChannelSize(size)) }

// ChannelWithSubscriptions is a Go channel of *Subscription and *Message. It panics after Channel.
func (p *PubSub) ChannelWithSubscriptions(options ...ChannelOption) <-chan interface{} {
	p.once.Do(func() {
		c := newChannel(options)
		c.all = make(chan interface{}, c.size)
		p.channel = c
		go fill(p, c, c.all)
	})
	if p.channel.all == nil {
		panic("redis: ChannelWithSubscriptions can't be called after Channel")
	}
	return p.channel.all
}

// fill receives until the PubSub is closed. What fits the channel's type is sent; errors are passed
// over, since libtendon goes on by itself.
func fill[T any](p *PubSub, c *channel, to chan T) {
	defer close(to)
	timer := time.NewTimer(c.sendTimeout)
	defer timer.Stop()
	for {
		value, err := p.Receive(context.Background())
		if err == ErrClosed || err == errNotMade {
			return
		}
		if err != nil {
			if p.isBroken() {
				return
			}
			continue
		}
		if _, isPong := value.(*Pong); isPong {
			continue
		}
		if one, ok := value.(T); ok {
			send(p, to, one, timer, c.sendTimeout)
		}
	}
}

// isBroken says whether there will never be anything to receive.
func (p *PubSub) isBroken() bool {
	_, err := p.open(context.Background())
	return err != nil
}

func send[T any](p *PubSub, to chan T, one T, timer *time.Timer, timeout time.Duration) {
	select {
	case to <- one:
		return
	default:
	}
	timer.Reset(timeout)
	select {
	case to <- one:
	case <-timer.C:
		logf("%s: the channel was full for %v, a message is dropped", p, timeout)
	}
}
