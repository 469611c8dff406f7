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
	"unsafe"
)

// gatheredBytes is the most arguments a request may have to be gathered: more would be copied once
// too often.
const gatheredBytes = 1 << 10

// group is small requests of several goroutines that cross into C together.
type group struct {
	data  []byte
	sizes []uint32
	heads []C.tendon_go_head
	calls []*call
	names *names // nil when nobody may cancel
}

// names are the ids of the requests of a group. Those who may cancel keep them, so they are not
// used again.
type names struct{ ids []uint64 }

// gathering collects requests until somebody crosses for all.
type gathering struct {
	adding  sync.Mutex // for pending
	pending *group

	crossing sync.Mutex // held from taking the pending group until it is submitted
	spare    *group     // an empty one
}

// mayGather says whether the request can go with those of others.
func (b *Batch) mayGather() bool {
	return len(b.shapes) == 1 && len(b.data) <= gatheredBytes && b.large == nil &&
		b.Lease == nil && b.Node == ""
}

// add puts the one request of a batch into the pending group. With `named` the id will be at the
// returned place, once that group was submitted.
func (g *gathering) add(b *Batch, tag uint64, named bool) (*names, int) {
	g.adding.Lock()
	defer g.adding.Unlock()
	p := g.pending
	if p == nil {
		p = &group{}
		g.pending = p
	}
	p.data = append(p.data, b.data...)
	p.sizes = append(p.sizes, b.sizes...)
	p.heads = append(p.heads, C.tendon_go_head{tag: C.uint64_t(tag),
		timeout_ms: C.int64_t(b.Timeout), shape: b.shapes[0]})
	p.calls = append(p.calls, &b.call)
	if named && p.names == nil {
		p.names = &names{}
	}
	return p.names, len(p.calls) - 1
}

// empty makes a group ready for its next use.
func (p *group) empty() {
	clear(p.calls)
	p.data, p.sizes, p.heads = p.data[:0], p.sizes[:0], p.heads[:0]
	p.calls, p.names = p.calls[:0], nil
	if cap(p.data) > keptBytes {
		p.data = nil
	}
}

// cross submits the pending group, and writes it and all that was submitted before. Who was refused
// is told.
func (c *Client) cross() {
	g := &c.gathering
	g.crossing.Lock()
	defer g.crossing.Unlock()
	g.adding.Lock()
	p := g.pending
	g.pending, g.spare = g.spare, nil
	g.adding.Unlock()
	if p == nil || len(p.calls) == 0 {
		g.spare = p
		c.flush()
		return
	}
	var ids []uint64
	if p.names != nil {
		ids = make([]uint64, len(p.calls))
		p.names.ids = ids
	}
	var stray C.tendon_completion
	C.tendon_go_submit_gathered(c.handle, (*C.uint8_t)(unsafe.SliceData(p.data)),
		(*C.uint32_t)(unsafe.SliceData(p.sizes)), &p.heads[0], C.uint32_t(len(p.heads)),
		(*C.uint64_t)(unsafe.SliceData(ids)), placeFor(&stray))
	for i := range p.heads {
		if status := p.heads[i].status; status != C.TENDON_OK {
			// No outcome will come. Of those that were taken it may have come already: their calls
			// belong to others by now.
			p.calls[i].refused = int32(status)
			p.calls[i].done <- struct{}{}
		}
	}
	p.empty()
	g.spare = p
	if stray.kind != 0 {
		c.reader.found(&stray)
	}
}

// waitGathered is wait for a request that was gathered.
func (c *Client) waitGathered(ctx context.Context, one *call, named *names, index int) {
	if ctx.Done() == nil {
		<-one.done
		return
	}
	select {
	case <-one.done:
		return
	case <-ctx.Done():
	}
	c.cross() // behind this it is submitted, whoever did it
	if id := named.ids[index]; id != 0 {
		c.control(func() { C.tendon_go_cancel(c.handle, (*C.uint64_t)(&id), 1) })
	}
	<-one.done
}
