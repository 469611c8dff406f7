package core

/*
#cgo noescape tendon_go_lease
#cgo nocallback tendon_go_lease
#include "bridge.h"
*/
import "C"

import "context"

// Lease is one connection of the pool for one borrower, until it is closed. One goroutine uses it
// at a time.
type Lease struct {
	client *Client
	handle *C.tendon_lease // NULL once given back
}

// leaseSink takes the one outcome of opening a lease.
type leaseSink struct{ failure *Failure }

func (s *leaseSink) Deliver(_ int, _ Tape, failure *Failure) { s.failure = failure }

// Lease borrows a connection to the node that owns `key`, to `node`, or to any primary when both
// are empty. `timeout` is in milliseconds, 0 for the client's limits. It waits on the caller's
// goroutine only.
func (c *Client) Lease(ctx context.Context, key, node string, timeout int64) (*Lease, *Failure) {
	if open, _ := c.enter(1); !open {
		return nil, statusFailure(C.TENDON_ERROR_CLOSED)
	}
	defer c.leave(1)
	sink := &leaseSink{}
	one := &call{}
	if !c.calls.take(one, sink, 1) {
		return nil, statusFailure(C.TENDON_ERROR_QUEUE_FULL)
	}
	tag := one.tag.Load()
	defer c.calls.release(one, tag)
	lease := &Lease{client: c}
	ids := []uint64{0}
	status := C.tendon_go_lease(c.host, bytesOf(key), C.size_t(len(key)), bytesOf(node),
		C.size_t(len(node)), C.int64_t(timeout), C.uint64_t(tag), &lease.handle,
		(*C.uint64_t)(&ids[0]))
	if status != C.TENDON_OK {
		return nil, statusFailure(int32(status))
	}
	c.leasesMutex.Lock()
	c.leases[lease] = struct{}{}
	c.leasesMutex.Unlock()
	c.cross()
	c.wait(ctx, one, ids)
	if sink.failure != nil {
		lease.Close()
		return nil, sink.failure
	}
	return lease, nil
}

// Client is whose connection it is.
func (l *Lease) Client() *Client { return l.client }

// Close gives the connection back; the core cleans or closes it. It is safe after Client.Close,
// which has closed the lease already, and safe to repeat.
func (l *Lease) Close() {
	c := l.client
	if open, _ := c.enter(1); !open {
		return
	}
	defer c.leave(1)
	c.leasesMutex.Lock()
	delete(c.leases, l)
	handle := l.handle
	l.handle = nil
	c.leasesMutex.Unlock()
	c.control(func() { C.tendon_lease_close(handle) })
}
