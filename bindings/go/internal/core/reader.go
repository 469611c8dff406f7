package core

/*
#cgo noescape tendon_go_turn
#cgo nocallback tendon_go_turn
#cgo noescape tendon_go_collect
#cgo nocallback tendon_go_collect
#include "bridge.h"
*/
import "C"

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

const (
	// A reply beyond either limit is decoded by the goroutine that waits for it, so that one large
	// reply does not hold up those of all others.
	largeBytes = 32 << 10
	largeNodes = 256
)

// kept is a large reply on its way to the waiting goroutine, which frees it.
type kept struct {
	position int
	tape     Tape
	reply    *C.tendon_reply
}

// reader drives a client on one goroutine that waits in Go's network poller: no OS thread is parked
// in C.
type reader struct {
	client   *Client
	host     *C.tendon_go_host
	handle   C.uintptr_t // the same
	calls    *calls
	file     *os.File // a duplicate of the client's descriptor, watched and never read
	ended    chan struct{}
	stopping atomic.Bool

	// taking is held from taking completions until they are delivered. Who holds the token must not
	// wait for it.
	taking sync.Mutex
}

func startReader(c *Client) (*reader, error) {
	fd, err := syscall.Dup(int(c.host.fd))
	if err != nil {
		return nil, fmt.Errorf("redis: duplicating the client's descriptor: %w", err)
	}
	syscall.CloseOnExec(fd)
	if err := syscall.SetNonblock(fd, true); err != nil {
		_ = syscall.Close(fd)
		return nil, fmt.Errorf("redis: making the client's descriptor non-blocking: %w", err)
	}
	r := &reader{client: c, host: c.host, handle: c.handle, calls: &c.calls,
		ended: make(chan struct{})}
	r.file = os.NewFile(uintptr(fd), "tendon-client")
	conn, err := r.file.SyscallConn()
	if err == nil {
		// Fails when the descriptor could not be added to the poller, without which nothing would
		// wake.
		err = r.file.SetReadDeadline(time.Time{})
	}
	if err != nil {
		_ = r.file.Close()
		return nil, fmt.Errorf("redis: watching the client's descriptor: %w", err)
	}
	go r.run(conn)
	return r, nil
}

// run drives until stop.
func (r *reader) run(conn syscall.RawConn) {
	defer close(r.ended)
	for !r.stopping.Load() {
		// Read returns early with an error only when stop has set a deadline in the past.
		_ = conn.Read(func(uintptr) bool {
			r.drive()
			return r.stopping.Load()
		})
	}
}

// drive lets the client do everything there is to do and delivers what completes.
func (r *reader) drive() {
	for woken := true; ; woken = false {
		var after aftermath
		r.taking.Lock()
		r.client.token.take()
		count := C.tendon_go_turn(r.handle, C.bool(woken))
		r.client.release(&after)
		r.deliverAll(count)
		r.taking.Unlock()
		r.client.tell(&after)
		if count < 0 {
			return
		}
		if count == 0 {
			runtime.Gosched() // what was done completes nothing yet
		}
	}
}

// collect delivers what has completed outside of a turn.
func (r *reader) collect() {
	for count := C.int64_t(1); count > 0; {
		r.taking.Lock()
		count = C.tendon_go_collect(r.handle)
		r.deliverAll(count)
		r.taking.Unlock()
	}
}

// found delivers a completion that came outside of a turn, and all others that did.
func (r *reader) found(stray *C.tendon_completion) {
	r.taking.Lock()
	r.deliver(stray)
	r.taking.Unlock()
	C.tendon_reply_destroy(stray.reply)
	C.tendon_error_destroy(stray.error)
	r.collect()
}

func (r *reader) deliverAll(count C.int64_t) {
	for i := 0; i < int(count); i++ {
		r.deliver(&r.host.completions[i])
	}
}

func (r *reader) deliver(completion *C.tendon_completion) {
	if completion.kind == C.TENDON_COMPLETION_EVENT {
		return
	}
	one, position := r.calls.find(uint64(completion.tag))
	if one != nil && one.members != nil {
		one, position = r.calls.leave(one, position), 0
	}
	if one == nil {
		return
	}
	if completion.kind == C.TENDON_COMPLETION_ERROR {
		one.deliver(position, Tape{}, look(C.tendon_status(completion.status), completion.error))
		return
	}
	tape := makeTape(unsafe.Pointer(completion.nodes), uint64(completion.node_count),
		unsafe.Pointer(completion.data), uint64(completion.data_bytes))
	if completion.node_count <= largeNodes && completion.data_bytes <= largeBytes {
		one.deliver(position, tape, nil)
		return
	}
	one.late = append(one.late, kept{position, tape, completion.reply})
	completion.reply = nil
	one.arrived()
}

// stop ends the goroutine and closes its descriptor.
func (r *reader) stop() {
	r.stopping.Store(true)
	_ = r.file.SetReadDeadline(time.Unix(1, 0))
	<-r.ended
	_ = r.file.Close()
}
