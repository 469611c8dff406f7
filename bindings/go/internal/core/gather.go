package core

/*
#cgo noescape tendon_go_submit_gathered
#cgo nocallback tendon_go_submit_gathered
#include "bridge.h"
*/
import "C"

import (
	"context"
	"sync"
	"sync/atomic"
	"unsafe"
)

// gatheredBytes is the most arguments a request may have to be gathered: more would be copied once
// too often.
const gatheredBytes = 1 << 10

// gatheredRequests is the most requests of a group. It bounds what one that is answered late keeps
// from being used again.
const gatheredRequests = 1 << 10

// group is small requests of several goroutines that cross into C together. To the table of calls
// it is one call, whose members the outcomes belong to.
type group struct {
	call  call
	data  []byte
	sizes []uint32
	heads []C.tendon_go_head
	names *names // nil when nobody may cancel

	holders atomic.Int32 // who still needs it: the one that crosses, and the table of calls
	home    *sync.Pool   // where it goes when nobody does
}

// names are the ids of the requests of a group. Those who may cancel keep them, so they are not
// used again.
type names struct{ ids []uint64 }

// gathering collects requests until somebody crosses for all.
type gathering struct {
	adding  sync.Mutex // for pending
	pending *group
	spare   sync.Pool // of groups whose outcomes are all told
}

// mayGather says whether the request can go with those of others. One that may be answered late
// stays by itself.
func (b *Batch) mayGather() bool {
	return len(b.shapes) == 1 && len(b.data) <= gatheredBytes && b.large == nil &&
		b.Lease == nil && b.Node == "" && b.shapes[0].flags&FlagBlocking == 0
}

// add puts the one request of a batch into the pending group, and reports false when that is full.
// With `named` the id will be at the returned place, once that group was submitted.
func (g *gathering) add(b *Batch, named bool) (ids *names, index int, added bool) {
	g.adding.Lock()
	defer g.adding.Unlock()
	p := g.pending
	if p == nil {
		if p, _ = g.spare.Get().(*group); p == nil {
			p = &group{home: &g.spare}
		}
		g.pending = p
	}
	if len(p.heads) == gatheredRequests {
		return nil, 0, false
	}
	p.data = append(p.data, b.data...)
	p.sizes = append(p.sizes, b.sizes...)
	p.heads = append(p.heads, C.tendon_go_head{timeout_ms: C.int64_t(b.Timeout),
		shape: b.shapes[0]})
	p.call.members = append(p.call.members, &b.call)
	if named && p.names == nil {
		p.names = &names{}
	}
	return p.names, len(p.heads) - 1, true
}

// drop gives the group back when nobody else holds it.
func (p *group) drop() {
	if p.holders.Add(-1) > 0 {
		return
	}
	clear(p.call.members)
	p.data, p.sizes, p.heads = p.data[:0], p.sizes[:0], p.heads[:0]
	p.call.members, p.names = p.call.members[:0], nil
	if cap(p.data) > keptBytes {
		p.data = nil
	}
	p.home.Put(p)
}

// Deliver implements Sink for the table of calls, which gives outcomes to the members instead.
func (p *group) Deliver(int, Tape, *Failure) {}

// leave is the member of a group an outcome belongs to; nil when it has been told. The last one
// ends the group. Only who takes completions calls it.
func (c *calls) leave(of *call, position int) *call {
	if position >= len(of.members) || of.members[position] == nil {
		return nil
	}
	one := of.members[position]
	of.members[position] = nil
	of.left--
	if of.left == 0 {
		p := of.sink.(*group)
		c.release(of, of.tag.Load())
		p.drop()
	}
	return one
}

// aftermath is what crossings leave for the time when the token is free again: telling it waits for
// the reader, who may be waiting for the token.
type aftermath struct {
	strays  []C.tendon_completion // that came outside of a turn
	refused []*group              // with requests that were not taken
}

// cross submits the pending group, and writes it and all that was submitted before; or leaves that
// to who is inside C.
func (c *Client) cross() {
	if c.token.enter(tokenLeft) {
		c.crossAndRelease()
	}
}

// crossAndWait is cross, but it has happened when it returns.
func (c *Client) crossAndWait() {
	c.token.take()
	c.crossAndRelease()
}

// crossAndRelease is cross for the holder of the token, who gives it up.
func (c *Client) crossAndRelease() {
	var after aftermath
	c.crossNow(&after)
	c.release(&after)
	c.tell(&after)
}

// release gives the token up, after the holder has crossed for all who left that to it.
func (c *Client) release(after *aftermath) {
	for !c.token.leave() {
		c.crossNow(after)
	}
}

// crossNow is cross for the holder of the token.
func (c *Client) crossNow(after *aftermath) {
	g := &c.gathering
	g.adding.Lock()
	p := g.pending
	g.pending = nil
	g.adding.Unlock()
	var stray C.tendon_completion
	if p == nil || !c.submitGroup(p, after, &stray) {
		C.tendon_go_flush(c.handle, placeFor(&stray))
	}
	after.add(&stray)
	if p != nil && c.Wrote != nil {
		c.Wrote()
	}
}

func (a *aftermath) add(stray *C.tendon_completion) {
	if stray.kind != 0 {
		a.strays = append(a.strays, *stray)
	}
}

// submitGroup submits a group and writes, unless too many calls are under way.
func (c *Client) submitGroup(p *group, after *aftermath, stray *C.tendon_completion) bool {
	var ids []uint64
	if p.names != nil {
		ids = make([]uint64, len(p.heads))
		p.names.ids = ids
	}
	if !c.calls.take(&p.call, p, len(p.heads)) {
		for _, one := range p.call.members {
			one.refuse(C.TENDON_ERROR_QUEUE_FULL)
		}
		p.holders.Store(1)
		p.drop()
		return false
	}
	p.holders.Store(2)
	C.tendon_go_submit_gathered(c.handle, C.uint64_t(p.call.tag.Load()),
		(*C.uint8_t)(unsafe.SliceData(p.data)), (*C.uint32_t)(unsafe.SliceData(p.sizes)),
		&p.heads[0], C.uint32_t(len(p.heads)), (*C.uint64_t)(unsafe.SliceData(ids)),
		placeFor(stray))
	for i := range p.heads {
		if p.heads[i].status != C.TENDON_OK {
			after.refused = append(after.refused, p)
			return true
		}
	}
	p.drop()
	return true
}

// tell tells what a crossing has left. Who calls it has given the token up.
func (c *Client) tell(after *aftermath) {
	for _, p := range after.refused {
		for i := range p.heads {
			if status := p.heads[i].status; status != C.TENDON_OK {
				c.reader.taking.Lock()
				one := c.calls.leave(&p.call, i)
				c.reader.taking.Unlock()
				one.refuse(int32(status))
			}
		}
		p.drop()
	}
	for i := range after.strays {
		c.reader.found(&after.strays[i])
	}
}

// refuse ends a gathered request that was not taken: no outcome will come.
func (one *call) refuse(status int32) {
	one.refused = status
	one.done <- struct{}{}
}

// gather adds the one request of a batch to those of others, and crosses for all when nobody else
// is about to. A request without a name is one that nobody cancels.
func (c *Client) gather(b *Batch, named bool) (*names, int) {
	ids, index, added := c.gathering.add(b, named)
	for !added {
		c.crossAndWait()
		ids, index, added = c.gathering.add(b, named)
	}
	c.flushSoon()
	if !named {
		return nil, 0
	}
	return ids, index
}

// waitGathered is wait for a request that was gathered.
func (c *Client) waitGathered(ctx context.Context, one *call, named *names, index int) {
	select {
	case <-one.done:
		return
	case <-ctx.Done():
	}
	c.crossAndWait() // behind this it is submitted, whoever did it
	if id := named.ids[index]; id != 0 {
		c.control(func() { C.tendon_go_cancel(c.handle, (*C.uint64_t)(&id), 1) })
	}
	<-one.done
}

// gathered ends a call that was gathered, and says why it was not taken.
func (one *call) gathered() *Failure {
	refused := one.refused
	if len(one.late) > 0 {
		one.decodeLate()
		one.late = nil
	}
	one.sink, one.refused = nil, C.TENDON_OK
	if refused != C.TENDON_OK {
		return statusFailure(refused)
	}
	return nil
}
