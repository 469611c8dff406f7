package core

/*
#cgo noescape tendon_go_submit_one
#cgo nocallback tendon_go_submit_one
#cgo noescape tendon_go_submit_large
#cgo nocallback tendon_go_submit_large
#cgo noescape tendon_go_submit_many
#cgo nocallback tendon_go_submit_many
#cgo noescape tendon_go_flush
#cgo nocallback tendon_go_flush
#cgo noescape tendon_go_cancel
#cgo nocallback tendon_go_cancel
#include "bridge.h"
*/
import "C"

import (
	"context"
	"runtime"
	"unsafe"
)

// Flags of a request, as <tendon/request.h> has them.
const (
	FlagBlocking  = C.TENDON_REQUEST_BLOCKING
	FlagAtomic    = C.TENDON_REQUEST_ATOMIC
	FlagAtomicEnd = C.TENDON_REQUEST_ATOMIC_END
)

// TimeoutNone asks for no deadline at all.
const TimeoutNone = C.TENDON_TIMEOUT_NONE

// keptBytes is the largest buffer a Batch keeps when it is reused: one huge value must not stay in
// a pool.
const keptBytes = 64 << 10

// LargeArgument is the size from which AddLarge saves copying a value twice: what Reset would not
// keep room for.
const LargeArgument = keptBytes

// Batch is the requests of one submission, packed: all arguments one after the other, and their
// lengths. It must not be copied.
type Batch struct {
	call call

	data   []byte
	sizes  []uint32
	shapes []C.tendon_go_shape
	ids    []uint64

	large      []byte // one argument that was not copied, of a batch of one request
	largeIndex int

	Timeout int64  // milliseconds; 0 for the client's, or TimeoutNone
	Node    string // "host:port" to send to, or "" to route by keys
	Lease   *Lease // the connection to use, or nil

	// Where the slices begin: an ordinary command fits, and has all it needs in one place.
	firstShape [1]C.tendon_go_shape
	firstSizes [6]uint32
	firstData  [96]byte
}

// Reset empties the batch for its next use.
func (b *Batch) Reset() {
	b.data, b.sizes, b.shapes, b.ids = b.data[:0], b.sizes[:0], b.shapes[:0], b.ids[:0]
	if cap(b.data) == 0 || cap(b.data) > keptBytes {
		b.data = b.firstData[:0]
	}
	if cap(b.sizes) == 0 || cap(b.sizes) > keptBytes/4 {
		b.sizes, b.shapes, b.ids = b.firstSizes[:0], b.firstShape[:0], nil
	}
	b.large, b.largeIndex = nil, 0
	b.Timeout, b.Node, b.Lease = 0, "", nil
}

// Begin starts the next request. The caller adds its arguments next.
func (b *Batch) Begin(flags uint32) {
	b.shapes = append(b.shapes, C.tendon_go_shape{flags: C.uint32_t(flags)})
}

// AddText adds an argument to the request begun last.
func (b *Batch) AddText(argument string) {
	if len(argument) >= LargeArgument {
		b.AddLarge(unsafe.Slice(unsafe.StringData(argument), len(argument)))
		return
	}
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
	if b.large != nil || len(b.shapes) != 1 {
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
	b.shapes[len(b.shapes)-1].arg_count++
}

// Len is the number of requests.
func (b *Batch) Len() int { return len(b.shapes) }

// Do submits the batch and waits until every request has its outcome, delivered to `sink` by
// position. When ctx ends first the requests are cancelled, and their outcomes say what became of
// them. A failure means that nothing was submitted and nothing delivered.
//
// One request of many goroutines waits right here: each function more between a program and its
// wait is looked at whenever the stacks are searched for pointers.
func (c *Client) Do(ctx context.Context, b *Batch, sink Sink) *Failure {
	count := b.Len()
	if count == 0 || count > MaxBatch {
		return statusFailure(C.TENDON_ERROR_ARGUMENT)
	}
	open, alone := c.enter(count)
	if !open {
		return statusFailure(C.TENDON_ERROR_CLOSED)
	}
	defer c.leave(count)
	if alone || !b.mayGather() {
		return c.doAlone(ctx, b, sink, alone)
	}
	one := &b.call
	one.await(sink, 1)
	named, index := c.gather(b, ctx.Done() != nil)
	if named == nil {
		<-one.done
	} else {
		c.waitGathered(ctx, one, named, index)
	}
	return one.gathered()
}

// doAlone is Do for requests that cross into C without those of others. With `flush` nobody else is
// about to write.
func (c *Client) doAlone(ctx context.Context, b *Batch, sink Sink, flush bool) *Failure {
	count := b.Len()
	if b.large != nil && count > 1 {
		b.unpackLarge()
	}
	if !c.calls.take(&b.call, sink, count) {
		return statusFailure(C.TENDON_ERROR_QUEUE_FULL)
	}
	tag := b.call.tag.Load()
	defer c.calls.release(&b.call, tag)
	b.ids = b.ids[:0]
	if ctx.Done() != nil { // else nobody cancels
		b.ids = append(b.ids, make([]uint64, count)...)
	}
	if status := c.submit(b, tag, flush); status != C.TENDON_OK {
		return statusFailure(int32(status))
	}
	c.wait(ctx, &b.call, b.ids)
	b.call.decodeLate()
	return nil
}

// flushSoon writes what has been submitted, together with what others submit meanwhile: the first
// of them lets the others run, and then flushes for all. It does not wait for the last of them: the
// server works on the first half while the second is written.
func (c *Client) flushSoon() {
	if c.flushing.Load() || c.flushing.Swap(true) {
		return // whoever set it flushes after it has reset it, and that is yet to come
	}
	runtime.Gosched()
	c.flushing.Store(false)
	c.cross()
}

// wait returns after the last outcome. When ctx ends first it cancels what is left, which completes
// it at once.
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
	c.control(func() {
		C.tendon_go_cancel(c.handle, (*C.uint64_t)(&ids[0]), C.size_t(len(ids)))
	})
	<-one.done
}

// placeFor is where C writes a completion, as bytes, which cgo does not search for Go pointers.
func placeFor(completion *C.tendon_completion) *C.uint8_t {
	return (*C.uint8_t)(unsafe.Pointer(completion))
}

// decodeLate decodes the large replies on the waiting goroutine and frees them.
func (one *call) decodeLate() {
	for i := range one.late {
		late := &one.late[i]
		one.sink.Deliver(late.position, late.tape, nil)
		C.tendon_reply_destroy(late.reply)
	}
}

// submit hands the batch to the core and sees to it that it is written: at once when `flush` says
// so.
func (c *Client) submit(b *Batch, tag uint64, flush bool) C.int32_t {
	target := C.tendon_go_target{tag: C.uint64_t(tag), timeout_ms: C.int64_t(b.Timeout),
		route: b.route()}
	if b.Lease != nil {
		if b.Lease.handle == nil {
			return C.TENDON_ERROR_CLOSED
		}
		target.lease = C.uint64_t(uintptr(unsafe.Pointer(b.Lease.handle)))
	}
	if flush && c.token.enter(tokenNoMark) {
		var after aftermath
		var stray C.tendon_completion
		target.flush = 1
		status := b.pass(c.handle, &target, placeFor(&stray))
		after.add(&stray)
		c.release(&after)
		c.tell(&after)
		return status
	}
	status := b.pass(c.handle, &target, nil)
	if status == C.TENDON_OK && flush {
		c.cross()
	} else if status == C.TENDON_OK {
		c.flushSoon()
	}
	return status
}

// pass crosses into C.
func (b *Batch) pass(host C.uintptr_t, target *C.tendon_go_target, stray *C.uint8_t) C.int32_t {
	node, nodeSize := bytesOf(b.Node), C.size_t(len(b.Node))
	packed := (*C.uint8_t)(unsafe.SliceData(b.data))
	sizes := (*C.uint32_t)(unsafe.SliceData(b.sizes))
	var ids *C.uint64_t
	if len(b.ids) > 0 {
		ids = (*C.uint64_t)(&b.ids[0])
	}
	if b.large != nil {
		return C.tendon_go_submit_large(host, target, packed, sizes, &b.shapes[0], node, nodeSize,
			(*C.uint8_t)(&b.large[0]), C.size_t(len(b.large)), C.uint32_t(b.largeIndex), ids, stray)
	}
	if len(b.shapes) == 1 {
		return C.tendon_go_submit_one(host, target, packed, sizes, &b.shapes[0], node, nodeSize,
			ids, stray)
	}
	return C.tendon_go_submit_many(host, target, packed, sizes, &b.shapes[0],
		C.uint32_t(len(b.shapes)), node, nodeSize, ids, stray)
}

func (b *Batch) route() C.uint32_t {
	if b.Node != "" {
		return C.TENDON_ROUTE_NODE
	}
	return C.TENDON_ROUTE_AUTO
}
