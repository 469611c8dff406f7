package redis

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tendon.dev/redis/internal/core"
)

// Subscription is received when a name was subscribed or given up, and again when it was subscribed
// anew after its connection was lost.
type Subscription struct {
	Kind    string // "subscribe", "psubscribe", "ssubscribe", "unsubscribe" and so on
	Channel string
	Count   int // names subscribed now
}

// String shows the kind and the name.
func (m *Subscription) String() string { return m.Kind + ": " + m.Channel }

// Message is what somebody published. Pattern is set when it came by one.
type Message struct {
	Channel      string
	Pattern      string
	Payload      string
	PayloadSlice []string // not used by servers today
}

// String shows the channel and the payload.
func (m *Message) String() string { return fmt.Sprintf("Message<%s: %s>", m.Channel, m.Payload) }

// Pong is received as the answer to PubSub.Ping.
type Pong struct{ Payload string }

// String shows the payload, if there is one.
func (p *Pong) String() string {
	if p.Payload == "" {
		return "Pong"
	}
	return fmt.Sprintf("Pong<%s>", p.Payload)
}

// Tags of a subscription's commands.
const (
	tagSubscribe = iota + 1
	tagPing
)

// received is something for Receive to return, or a gap to tell of.
type received struct {
	value interface{}
	err   error
	lost  time.Duration
	isGap bool
}

// PubSub receives messages of channels, patterns and sharded channels, on a connection beside those
// of the commands. When that is lost libtendon makes another one and subscribes again: the names
// are confirmed once more, and OnGap tells that messages may have been missed. One goroutine at a
// time may receive.
type PubSub struct {
	engine *engine
	node   string

	mutex  sync.Mutex
	stream *core.Subscription // nil before its first use
	closed bool
	names  map[string]map[string]struct{} // by command: what is subscribed
	onGap  func(lost time.Duration)
	ready  []received // what Receive returns next, from taken on
	taken  int

	once    sync.Once
	channel *channel
}

func newPubSub(e *engine, node string) *PubSub {
	return &PubSub{engine: e, node: node, names: map[string]map[string]struct{}{}}
}

// subscriber is how clients begin, each on the nodes it has.
type subscriber struct {
	engine *engine
	node   string
}

// begin makes a subscription; what goes wrong is what Receive returns.
func (s subscriber) begin(ctx context.Context, command string, names []string) *PubSub {
	p := newPubSub(s.engine, s.node)
	if len(names) > 0 {
		if err := p.add(ctx, command, names); err != nil {
			p.push(received{err: err})
		}
	}
	return p
}

// Subscribe makes a subscription to channels, without waiting for the server to confirm it. What
// goes wrong is what Receive returns. Close it when it is no longer needed.
func (s subscriber) Subscribe(ctx context.Context, channels ...string) *PubSub {
	return s.begin(ctx, "subscribe", channels)
}

// PSubscribe is Subscribe to all channels that match one of the patterns.
func (s subscriber) PSubscribe(ctx context.Context, channels ...string) *PubSub {
	return s.begin(ctx, "psubscribe", channels)
}

// SSubscribe is Subscribe to sharded channels, on a cluster of any slots.
func (s subscriber) SSubscribe(ctx context.Context, channels ...string) *PubSub {
	return s.begin(ctx, "ssubscribe", channels)
}

// Subscribe adds channels.
func (p *PubSub) Subscribe(ctx context.Context, channels ...string) error {
	return p.add(ctx, "subscribe", channels)
}

// PSubscribe adds patterns.
func (p *PubSub) PSubscribe(ctx context.Context, patterns ...string) error {
	return p.add(ctx, "psubscribe", patterns)
}

// SSubscribe adds sharded channels.
func (p *PubSub) SSubscribe(ctx context.Context, channels ...string) error {
	return p.add(ctx, "ssubscribe", channels)
}

// Unsubscribe gives up channels, all when none are named.
func (p *PubSub) Unsubscribe(ctx context.Context, channels ...string) error {
	return p.remove(ctx, "subscribe", "unsubscribe", channels)
}

// PUnsubscribe gives up patterns, all when none are named.
func (p *PubSub) PUnsubscribe(ctx context.Context, patterns ...string) error {
	return p.remove(ctx, "psubscribe", "punsubscribe", patterns)
}

// SUnsubscribe gives up sharded channels, all when none are named.
func (p *PubSub) SUnsubscribe(ctx context.Context, channels ...string) error {
	return p.remove(ctx, "ssubscribe", "sunsubscribe", channels)
}

// Ping asks the server for a sign of life, which Receive returns as a Pong.
func (p *PubSub) Ping(ctx context.Context, payload ...string) error {
	return p.submit(ctx, tagPing, "ping", payload)
}

// OnGap sets what is called when everything is subscribed again after a connection was lost: what
// was published in the time between was missed. It runs on the receiving goroutine.
func (p *PubSub) OnGap(fn func(lost time.Duration)) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.onGap = fn
}

// String shows what is subscribed.
func (p *PubSub) String() string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	var all []string
	for _, names := range p.names {
		for name := range names {
			all = append(all, name)
		}
	}
	return fmt.Sprintf("PubSub(%s)", strings.Join(all, ", "))
}

// Close gives up everything and the connection; channels of Channel are closed.
func (p *PubSub) Close() error {
	p.mutex.Lock()
	stream, closed := p.stream, p.closed
	p.closed = true
	p.mutex.Unlock()
	if closed {
		return ErrClosed
	}
	if stream != nil && stream.Close() {
		p.engine.pubSubs.active.Add(-1)
	}
	return nil
}

func (p *PubSub) add(ctx context.Context, command string, names []string) error {
	if err := p.submit(ctx, tagSubscribe, command, names); err != nil {
		return err
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.names[command] == nil {
		p.names[command] = map[string]struct{}{}
	}
	for _, name := range names {
		p.names[command][name] = struct{}{}
	}
	return nil
}

func (p *PubSub) remove(ctx context.Context, command, undo string, names []string) error {
	p.mutex.Lock()
	for _, name := range names {
		delete(p.names[command], name)
	}
	if len(names) == 0 {
		delete(p.names, command)
	}
	p.mutex.Unlock()
	return p.submit(ctx, tagSubscribe, undo, names)
}

// open makes the subscription at its first use.
func (p *PubSub) open(ctx context.Context) (*core.Subscription, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.closed {
		return nil, ErrClosed
	}
	if p.stream != nil {
		return p.stream, nil
	}
	if err := p.engine.ready(ctx); err != nil {
		return nil, err
	}
	stream, failure := p.engine.core.Load().Subscribe(p.node)
	if failure != nil {
		return nil, callError(context.Background(), failure, false)
	}
	p.stream = stream
	p.engine.pubSubs.created.Add(1)
	p.engine.pubSubs.active.Add(1)
	return stream, nil
}

func (p *PubSub) submit(ctx context.Context, tag uint64, command string, names []string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	stream, err := p.open(ctx)
	if err != nil {
		return err
	}
	var batch core.Batch
	batch.Reset()
	batch.Begin(0)
	batch.AddText(command)
	for _, name := range names {
		batch.AddText(name)
	}
	batch.Timeout = ceilMillis(p.engine.bound)
	if failure := stream.Submit(&batch, tag); failure != nil {
		return callError(ctx, failure, false)
	}
	return nil
}

// Receive waits for a *Subscription, a *Message, a *Pong or an error. After an error the
// subscription goes on: libtendon tries to reach the server again.
func (p *PubSub) Receive(ctx context.Context) (interface{}, error) {
	return p.ReceiveTimeout(ctx, 0)
}

// ReceiveMessage waits for a message or an error.
func (p *PubSub) ReceiveMessage(ctx context.Context) (*Message, error) {
	for {
		value, err := p.Receive(ctx)
		if err != nil {
			return nil, err
		}
		if message, ok := value.(*Message); ok {
			return message, nil
		}
	}
}

// ReceiveTimeout is Receive with a limit, after which its error is a timeout of net.Error; 0 is no
// limit.
func (p *PubSub) ReceiveTimeout(ctx context.Context, timeout time.Duration) (interface{}, error) {
	deadline := time.Time{}
	if timeout > 0 {
		deadline = time.Now().Add(timeout)
	}
	for {
		if next, ok := p.pop(); ok && next.isGap {
			p.gap(next.lost) // here, where it may do with the subscription what it likes
			continue
		} else if ok {
			return next.value, next.err
		}
		stream, err := p.open(ctx)
		if err != nil {
			return nil, err
		}
		err = stream.Take(ctx, deadline, p.arrived)
		switch {
		case errors.Is(err, core.ErrSubscriptionClosed):
			return nil, ErrClosed
		case err != nil && ctx.Err() == nil && errors.Is(err, os.ErrDeadlineExceeded):
			return nil, &ClientError{Status: "TIMEOUT", timeout: true, executed: ExecutedNo,
				Message: "nothing was received in time: i/o timeout",
				causes:  []error{os.ErrDeadlineExceeded}}
		case err != nil:
			return nil, err
		}
	}
}

func (p *PubSub) push(next received) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.ready = append(p.ready, next)
}

func (p *PubSub) pop() (received, bool) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.taken == len(p.ready) {
		return received{}, false
	}
	next := p.ready[p.taken]
	p.ready[p.taken] = received{}
	if p.taken++; p.taken == len(p.ready) {
		p.ready, p.taken = p.ready[:0], 0
	}
	return next, true
}

// arrived makes of what came in the queue what Receive returns.
func (p *PubSub) arrived(a core.Arrival) {
	switch {
	case a.Event == core.EventMessage:
		p.push(message(a.Tape))
	case a.Event == core.EventGap:
		p.push(received{isGap: true, lost: time.Duration(a.Number) * time.Millisecond})
	case a.Failure != nil && (a.Event == core.EventFailed || a.Event == 0):
		p.push(received{err: callError(context.Background(), a.Failure, false)})
	case a.Event != 0:
		// A lost connection is told by what follows it.
	case a.Tape.Type(0) == core.NodeError:
		p.push(received{err: serverError(a.Tape.Text(0))})
	case a.Tag == tagPing:
		p.push(received{value: pong(a.Tape)})
	}
}

func (p *PubSub) gap(lost time.Duration) {
	p.mutex.Lock()
	fn := p.onGap
	p.mutex.Unlock()
	logf("%s: the connection was lost for %v; messages may have been missed", p, lost)
	if fn != nil {
		fn(lost)
	}
}

// pong takes both forms of the answer: the payload, or a word when there was none.
func pong(tape core.Tape) *Pong {
	texts, err := decodeTexts(tape, 0)
	if err == nil && len(texts) == 2 {
		return &Pong{Payload: texts[1]}
	}
	if text, err := decodeText(tape, 0); err == nil && text != "PONG" {
		return &Pong{Payload: text}
	}
	return &Pong{}
}

func message(tape core.Tape) received {
	if !tape.IsAggregate(0) || tape.Size(0) < 3 {
		return received{err: unexpected(tape, 0, "message")}
	}
	name, _ := decodeText(tape, 2) // null where there was nothing to give up
	switch {
	case tape.Holds(1, "message") || tape.Holds(1, "smessage"):
		payload, err := decodeText(tape, 3)
		return received{value: &Message{Channel: name, Payload: payload}, err: err}
	case tape.Holds(1, "pmessage"):
		channel, _ := decodeText(tape, 3)
		payload, err := decodeText(tape, tape.Next(3))
		return received{err: err,
			value: &Message{Pattern: name, Channel: channel, Payload: payload}}
	}
	kind, _ := decodeText(tape, 1)
	count, err := decodeInt(tape, 3)
	return received{err: err,
		value: &Subscription{Kind: kind, Channel: name, Count: int(count)}}
}

// pubSubCounters are those of an engine.
type pubSubCounters struct{ created, active atomic.Int64 }

// PubSubStats are counters of subscriptions.
type PubSubStats struct {
	Created   uint32 // subscriptions opened
	Untracked uint32 // 0: libtendon knows all
	Active    uint32 // of them open now
}
