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
	sink := &leaseSink{}
	one := c.calls.take(sink, 1)
	if one == nil {
		return nil, statusFailure(C.TENDON_ERROR_QUEUE_FULL)
	}
	lease := &Lease{client: c}
	ids := []uint64{0}
	if status := c.submitLease(lease, key, node, timeout, one.tag.Load(),
		&ids[0]); status != C.TENDON_OK {
		c.calls.release(one)
		return nil, statusFailure(int32(status))
	}
	c.wait(ctx, one, ids)
	c.calls.release(one)
	if sink.failure != nil {
		lease.Close()
		return nil, sink.failure
	}
	return lease, nil
}

func (c *Client) submitLease(lease *Lease, key, node string, timeout int64, tag uint64,
	id *uint64) C.int32_t {
	c.state.RLock()
	defer c.state.RUnlock()
	if c.closed {
		return C.TENDON_ERROR_CLOSED
	}
	status := C.tendon_go_lease(c.handle, c.queue, bytesOf(key), C.size_t(len(key)), bytesOf(node),
		C.size_t(len(node)), C.int64_t(timeout), C.uint64_t(tag), &lease.handle, (*C.uint64_t)(id))
	if status == C.TENDON_OK {
		c.leasesMutex.Lock()
		c.leases[lease] = struct{}{}
		c.leasesMutex.Unlock()
	}
	return status
}

// Close gives the connection back; the core cleans or closes it. It is safe after Client.Close,
// which has closed the lease already, and safe to repeat.
func (l *Lease) Close() {
	l.client.state.RLock()
	defer l.client.state.RUnlock()
	l.client.leasesMutex.Lock()
	defer l.client.leasesMutex.Unlock()
	l.end()
	delete(l.client.leases, l)
}

// end closes the handle. The caller keeps everybody else away.
func (l *Lease) end() {
	C.tendon_lease_close(l.handle)
	l.handle = nil
}
