package core

/*
#cgo noescape tendon_go_turn
#cgo nocallback tendon_go_turn
#include "bridge.h"
*/
import "C"

import (
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

const (
	// turnMax completions are taken per crossing: enough to make the crossing's cost vanish, few
	// enough to keep the array in the first-level cache.
	turnMax = 256
	// A reply beyond either limit is decoded by the goroutine that waits for it, so that one large
	// reply does not hold up everybody else's.
	largeBytes = 32 << 10
	largeNodes = 256
)

// kept is a large reply on its way to the waiting goroutine, which frees it.
type kept struct {
	position int
	tape     Tape
	reply    *C.tendon_reply
}

// reader collects completions on one goroutine that waits in Go's network poller: no OS thread is
// parked.
type reader struct {
	queue    *C.tendon_queue
	calls    *calls
	file     *os.File // a duplicate of the queue's descriptor, watched and never read
	ended    chan struct{}
	stopping atomic.Bool

	// Where turns put completions: turnMax of them in C memory, which cgo need not search for Go
	// pointers.
	array       *C.tendon_completion
	completions []C.tendon_completion
}

func startReader(queue *C.tendon_queue, table *calls) (*reader, error) {
	fd, err := syscall.Dup(int(C.tendon_queue_fd(queue)))
	if err != nil {
		return nil, fmt.Errorf("redis: duplicating the queue's descriptor: %w", err)
	}
	syscall.CloseOnExec(fd)
	if err := syscall.SetNonblock(fd, true); err != nil {
		_ = syscall.Close(fd)
		return nil, fmt.Errorf("redis: making the queue's descriptor non-blocking: %w", err)
	}
	r := &reader{queue: queue, calls: table, ended: make(chan struct{})}
	r.array = (*C.tendon_completion)(C.malloc(turnMax * C.sizeof_tendon_completion))
	r.completions = unsafe.Slice(r.array, turnMax)
	r.file = os.NewFile(uintptr(fd), "tendon-queue")
	conn, err := r.file.SyscallConn()
	if err == nil {
		// Fails when the descriptor could not be added to the poller, without which nothing would
		// wake.
		err = r.file.SetReadDeadline(time.Time{})
	}
	if err != nil {
		_ = r.file.Close()
		C.free(unsafe.Pointer(r.array))
		return nil, fmt.Errorf("redis: watching the queue's descriptor: %w", err)
	}
	go r.run(conn)
	return r, nil
}

// run drains until stop, and once more after it: by then every request has its completion in the
// queue.
func (r *reader) run(conn syscall.RawConn) {
	defer close(r.ended)
	for !r.stopping.Load() {
		// Read returns early with an error only when stop has set a deadline in the past.
		_ = conn.Read(func(uintptr) bool { return r.drain() || r.stopping.Load() })
	}
	r.drain()
}

// drain delivers everything that is in the queue and reports whether there was anything. It never
// waits.
func (r *reader) drain() bool {
	count := r.turn(0)
	if count == 0 {
		return false
	}
	for count > 0 {
		for i := 0; i < count; i++ {
			r.deliver(&r.completions[i])
		}
		count = r.turn(count)
	}
	return true
}

func (r *reader) turn(done int) int {
	return int(C.tendon_go_turn(r.queue, r.array, C.size_t(done), turnMax))
}

func (r *reader) deliver(completion *C.tendon_completion) {
	if completion.kind == C.TENDON_COMPLETION_EVENT {
		return
	}
	one, position := r.calls.find(uint64(completion.tag))
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
	one.later = append(one.later, kept{position, tape, completion.reply})
	completion.reply = nil
	one.arrived()
}

// stop ends the goroutine after a last drain and closes its descriptor.
func (r *reader) stop() {
	r.stopping.Store(true)
	_ = r.file.SetReadDeadline(time.Unix(1, 0))
	<-r.ended
	_ = r.file.Close()
	C.free(unsafe.Pointer(r.array))
}
