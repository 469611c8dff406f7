package core

/*
#cgo noescape tendon_go_stream_take
#cgo nocallback tendon_go_stream_take
#cgo noescape tendon_go_stream_submit
#cgo nocallback tendon_go_stream_submit
#include "bridge.h"
*/
import "C"

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"
	"unsafe"
)

// Events of a subscription, as <tendon/queue.h> numbers them.
const (
	EventFailed  = C.TENDON_EVENT_FAILED
	EventMessage = C.TENDON_EVENT_MESSAGE
	EventGap     = C.TENDON_EVENT_GAP
)

// ErrSubscriptionClosed is the result of using a closed subscription, or one of a closed client.
var ErrSubscriptionClosed = errors.New("the subscription is closed")

// Arrival is one thing that came in a subscription's queue: an event, or, when Event is 0, the
// outcome of the command submitted with Tag. The tape is borrowed.
type Arrival struct {
	Event   uint32
	Number  uint32 // what the event's text names
	Tag     uint64
	Tape    Tape
	Failure *Failure // nil unless the outcome or the event is a failure
}

// Subscription is a stream of messages beside the commands of a client. Any goroutine may submit,
// one at a time takes.
type Subscription struct {
	client *Client
	handle *C.tendon_go_stream
	own    watched // the queue's descriptor

	using  sync.RWMutex // held for reading inside calls with the handle
	closed bool
	taking sync.Mutex
}

// Subscribe opens a subscription at `node`, or where its first name belongs when that is empty.
func (c *Client) Subscribe(node string) (*Subscription, *Failure) {
	if open, _ := c.enter(1); !open {
		return nil, statusFailure(C.TENDON_ERROR_CLOSED)
	}
	defer c.leave(1)
	s := &Subscription{client: c}
	status := C.tendon_go_stream_open(c.host, bytesOf(node), C.size_t(len(node)), &s.handle)
	if status != C.TENDON_OK {
		return nil, statusFailure(int32(status))
	}
	var err error
	if s.own, err = watchDuplicate(s.handle.fd); err != nil {
		C.tendon_go_stream_close(s.handle)
		return nil, &Failure{Status: C.TENDON_ERROR_SYSTEM, Class: C.TENDON_CLASS_SYSTEM,
			Executed: ExecutedNo, Message: err.Error()}
	}
	c.leasesMutex.Lock()
	c.streams[s] = struct{}{}
	c.leasesMutex.Unlock()
	return s, nil
}

// Submit hands over one command, all of whose arguments are in the batch. Its outcome arrives with
// the tag.
func (s *Subscription) Submit(b *Batch, tag uint64) *Failure {
	s.using.RLock()
	defer s.using.RUnlock()
	if s.closed {
		return statusFailure(C.TENDON_ERROR_CLOSED)
	}
	var sizes *C.uint32_t
	if len(b.sizes) > 0 {
		sizes = (*C.uint32_t)(unsafe.Pointer(unsafe.SliceData(b.sizes)))
	}
	status := C.tendon_go_stream_submit(s.handle,
		(*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(b.data))), sizes,
		C.uint32_t(len(b.sizes)), C.int64_t(b.Timeout), C.uint64_t(tag))
	if status != C.TENDON_OK {
		return statusFailure(int32(status))
	}
	s.client.cross()
	return nil
}

// Take waits until something has arrived and hands all of it to `each`. Its error is that of ctx,
// os.ErrDeadlineExceeded after `deadline` unless that is zero, or ErrSubscriptionClosed.
func (s *Subscription) Take(ctx context.Context, deadline time.Time, each func(Arrival)) error {
	s.taking.Lock()
	defer s.taking.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.own.file.SetReadDeadline(deadline); err != nil {
		return ErrSubscriptionClosed
	}
	if ctx.Done() != nil {
		stop := context.AfterFunc(ctx, func() { _ = s.own.file.SetReadDeadline(time.Unix(1, 0)) })
		defer stop()
	}
	count := 0
	err := s.own.conn.Read(func(uintptr) bool {
		count = s.take(each)
		return count != 0
	})
	switch {
	case count > 0:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return os.ErrDeadlineExceeded
	}
	return ErrSubscriptionClosed
}

// take is -1 when the subscription is closed.
func (s *Subscription) take(each func(Arrival)) int {
	s.using.RLock()
	defer s.using.RUnlock()
	if s.closed {
		return -1
	}
	count := int(C.tendon_go_stream_take(s.handle))
	for i := range count {
		completion := &s.handle.completions[i]
		arrival := Arrival{Event: uint32(completion.event), Number: uint32(completion.delay_ms),
			Tag: uint64(completion.tag)}
		if completion.error != nil || completion.kind == C.TENDON_COMPLETION_ERROR {
			arrival.Failure = look(C.tendon_status(completion.status), completion.error)
		}
		if completion.node_count > 0 {
			arrival.Tape = makeTape(unsafe.Pointer(completion.nodes),
				uint64(completion.node_count), unsafe.Pointer(completion.data),
				uint64(completion.data_bytes))
		}
		each(arrival)
	}
	return count
}

// Close ends it and wakes whoever waits. It reports false when it was closed before, or its client
// was, which ends it too.
func (s *Subscription) Close() bool {
	c := s.client
	if open, _ := c.enter(1); !open {
		return false
	}
	defer c.leave(1)
	c.leasesMutex.Lock()
	_, open := c.streams[s]
	delete(c.streams, s)
	c.leasesMutex.Unlock()
	if open {
		s.end()
	}
	return open
}

func (s *Subscription) end() {
	s.using.Lock()
	s.closed = true
	C.tendon_go_stream_close(s.handle)
	s.using.Unlock()
	s.client.cross()
	_ = s.own.file.Close()
}

// endStreams closes all subscriptions of a client that is being closed.
func (c *Client) endStreams() {
	c.leasesMutex.Lock()
	streams := c.streams
	c.streams = map[*Subscription]struct{}{}
	c.leasesMutex.Unlock()
	for s := range streams {
		s.end()
	}
}
