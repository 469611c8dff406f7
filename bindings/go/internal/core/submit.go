package core

/*
#cgo noescape tendon_go_submit_one
#cgo nocallback tendon_go_submit_one
#cgo noescape tendon_go_submit_large
#cgo nocallback tendon_go_submit_large
#cgo noescape tendon_go_submit_many
#cgo nocallback tendon_go_submit_many
#cgo nocallback tendon_cancel
#include "bridge.h"
*/
import "C"

import (
	"context"
	"unsafe"
)

// Flags of a request, as <tendon/request.h> has them.
const (
	FlagBlocking  = C.TENDON_REQUEST_BLOCKING
	FlagAtomic    = C.TENDON_REQUEST_ATOMIC
	FlagAtomicEnd = C.TENDON_REQUEST_ATOMIC_END
	FlagNoRetry   = C.TENDON_REQUEST_NO_RETRY
)

// TimeoutNone asks for no deadline at all.
const TimeoutNone = C.TENDON_TIMEOUT_NONE

// keptBytes is the largest buffer a Batch keeps when it is reused: one huge value must not stay in
// a pool.
const keptBytes = 64 << 10

// LargeArgument is the size from which AddLarge saves copying a value twice.
const LargeArgument = 256 << 10

// Batch is the requests of one submission, packed: all arguments one after the other, and their
// lengths.
type Batch struct {
	data   []byte
	sizes  []uint32
	counts []uint32
	flags  []uint32
	ids    []uint64

	large      []byte // one argument that was not copied, of a batch of one request
	largeIndex int

	Timeout int64  // milliseconds; 0 for the client's, or TimeoutNone
	Node    string // "host:port" to send to, or "" to route by keys
	Random  bool   // any primary whatever the keys
	Lease   *Lease // the connection to use, or nil
}

// Reset empties the batch for its next use.
func (b *Batch) Reset() {
	if cap(b.data) > keptBytes {
		b.data = nil
	}
	if cap(b.sizes) > keptBytes/4 {
		b.sizes, b.counts, b.flags, b.ids = nil, nil, nil, nil
	}
	*b = Batch{data: b.data[:0], sizes: b.sizes[:0], counts: b.counts[:0], flags: b.flags[:0],
		ids: b.ids[:0]}
}

// Begin starts the next request. The caller adds its arguments next.
func (b *Batch) Begin(flags uint32) {
	b.counts = append(b.counts, 0)
	b.flags = append(b.flags, flags)
}

// AddText adds an argument to the request begun last.
func (b *Batch) AddText(argument string) {
	b.data = append(b.data, argument...)
	b.added(len(argument))
}

// AddBytes adds an argument to the request begun last.
func (b *Batch) AddBytes(argument []byte) {
	b.data = append(b.data, argument...)
	b.added(len(argument))
}

// AddWith lets `write` append the bytes of an argument to the packed data.
func (b *Batch) AddWith(write func([]byte) []byte) {
	before := len(b.data)
	b.data = write(b.data)
	b.added(len(b.data) - before)
}

// AddLarge adds an argument without copying it; it must not change until Do returns. Possible once,
// in a batch of one request; otherwise it copies.
func (b *Batch) AddLarge(argument []byte) {
	if b.large != nil || len(b.counts) != 1 {
		b.AddBytes(argument)
		return
	}
	b.large, b.largeIndex = argument, len(b.sizes)
	b.added(len(argument))
}

// unpackLarge copies the large argument into place after all, for a batch that gets a second
// request.
func (b *Batch) unpackLarge() {
	at := 0
	for _, size := range b.sizes[:b.largeIndex] {
		at += int(size)
	}
	b.data = append(b.data[:at], append(append([]byte(nil), b.large...), b.data[at:]...)...)
	b.large = nil
}

func (b *Batch) added(size int) {
	b.sizes = append(b.sizes, uint32(size))
	b.counts[len(b.counts)-1]++
}

// Len is the number of requests.
func (b *Batch) Len() int { return len(b.counts) }

// Drop removes the request begun last and its arguments.
func (b *Batch) Drop() {
	last := len(b.counts) - 1
	first := len(b.sizes) - int(b.counts[last])
	for i, size := range b.sizes[first:] {
		if b.large != nil && first+i == b.largeIndex {
			b.large = nil
			continue
		}
		b.data = b.data[:len(b.data)-int(size)]
	}
	b.sizes, b.counts, b.flags = b.sizes[:first], b.counts[:last], b.flags[:last]
}

// Do submits the batch and waits until every request has its outcome, delivered to `sink` by
// position. When ctx ends first the requests are cancelled, and their outcomes say what became of
// them. A failure means that nothing was submitted and nothing delivered.
func (c *Client) Do(ctx context.Context, b *Batch, sink Sink) *Failure {
	count := b.Len()
	if count == 0 || count > MaxBatch {
		return statusFailure(C.TENDON_ERROR_ARGUMENT)
	}
	if b.large != nil && count > 1 {
		b.unpackLarge()
	}
	one := c.calls.take(sink, count)
	if one == nil {
		return statusFailure(C.TENDON_ERROR_QUEUE_FULL)
	}
	if cap(b.ids) < count {
		b.ids = make([]uint64, count)
	}
	b.ids = b.ids[:count]
	if status := c.submit(b, one.tag.Load()); status != C.TENDON_OK {
		c.calls.release(one)
		return statusFailure(int32(status))
	}
	c.wait(ctx, one, b.ids)
	one.decodeLater()
	c.calls.release(one)
	return nil
}

// wait returns after the last outcome. A cancelled request has its outcome within a turn of the
// core's loop, so waiting for it after ctx has ended costs no time worth leaving early for.
func (c *Client) wait(ctx context.Context, one *call, ids []uint64) {
	if ctx.Done() == nil {
		<-one.done
		return
	}
	select {
	case <-one.done:
		return
	case <-ctx.Done():
	}
	for _, id := range ids {
		c.cancel(id)
	}
	<-one.done
}

func (c *Client) cancel(id uint64) {
	c.state.RLock()
	if !c.closed {
		C.tendon_cancel(c.handle, C.uint64_t(id))
	}
	c.state.RUnlock()
}

// decodeLater decodes the large replies on the waiting goroutine and frees them.
func (one *call) decodeLater() {
	for i := range one.later {
		late := &one.later[i]
		one.sink.Deliver(late.position, late.tape, nil)
		C.tendon_reply_destroy(late.reply)
	}
}

func (c *Client) submit(b *Batch, tag uint64) C.int32_t {
	c.state.RLock()
	defer c.state.RUnlock()
	if c.closed {
		return C.TENDON_ERROR_CLOSED
	}
	var lease *C.tendon_lease
	if b.Lease != nil {
		if lease = b.Lease.handle; lease == nil {
			return C.TENDON_ERROR_CLOSED
		}
	}
	target := C.tendon_go_target{tag: C.uint64_t(tag), timeout_ms: C.int64_t(b.Timeout),
		route: b.route()}
	node, nodeSize := bytesOf(b.Node), C.size_t(len(b.Node))
	packed := (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(b.data)))
	sizes := (*C.uint32_t)(unsafe.Pointer(unsafe.SliceData(b.sizes)))
	ids := (*C.uint64_t)(unsafe.Pointer(unsafe.SliceData(b.ids)))
	switch {
	case b.large != nil:
		return C.tendon_go_submit_large(c.handle, c.queue, lease, packed, sizes,
			C.uint32_t(b.counts[0]),
			C.uint32_t(b.flags[0]), &target, node, nodeSize,
			(*C.uint8_t)(unsafe.Pointer(&b.large[0])),
			C.size_t(len(b.large)), C.uint32_t(b.largeIndex), ids)
	case len(b.counts) == 1:
		return C.tendon_go_submit_one(c.handle, c.queue, lease, packed, sizes,
			C.uint32_t(b.counts[0]),
			C.uint32_t(b.flags[0]), &target, node, nodeSize, ids)
	}
	return C.tendon_go_submit_many(c.handle, c.queue, lease, packed, sizes,
		(*C.uint32_t)(unsafe.Pointer(&b.counts[0])), (*C.uint32_t)(unsafe.Pointer(&b.flags[0])),
		C.uint32_t(len(b.counts)), &target, node, nodeSize, ids)
}

func (b *Batch) route() C.uint32_t {
	switch {
	case b.Node != "":
		return C.TENDON_ROUTE_NODE
	case b.Random:
		return C.TENDON_ROUTE_RANDOM
	}
	return C.TENDON_ROUTE_AUTO
}
