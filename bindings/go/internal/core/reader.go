package core

/*
#cgo noescape tendon_go_turn
#cgo nocallback tendon_go_turn
#cgo noescape tendon_go_collect
#cgo nocallback tendon_go_collect
#cgo noescape tendon_go_take_back
#cgo nocallback tendon_go_take_back
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

// reader drives a client on goroutines that wait in Go's network poller: no OS thread is parked in
// C. One waits for the client's descriptor, and one for each socket that the client lends: what
// arrives there would make two pollers look, one inside the other.
type reader struct {
	client   *Client
	host     *C.tendon_go_host
	handle   C.uintptr_t // the same
	calls    *calls
	own      watched
	running  sync.WaitGroup
	stopping atomic.Bool

	// taking is held from taking completions until they are delivered. Who holds the token must not
	// wait for it.
	taking sync.Mutex
	lent   map[*os.File]struct{} // under taking
}

// watched is a descriptor of the client's in Go's poller.
type watched struct {
	file *os.File // a duplicate, watched and never read
	conn syscall.RawConn
}

// watchDuplicate is watch of a descriptor that C goes on using.
func watchDuplicate(fd C.int) (watched, error) {
	syscall.ForkLock.RLock()
	own, err := syscall.Dup(int(fd))
	if err == nil {
		syscall.CloseOnExec(own)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return watched{}, fmt.Errorf("redis: duplicating a descriptor: %w", err)
	}
	return watch(own)
}

// watch adds a descriptor to the poller, or closes it.
func watch(fd int) (watched, error) {
	err := syscall.SetNonblock(fd, true)
	if err != nil {
		_ = syscall.Close(fd)
		return watched{}, fmt.Errorf("redis: making a descriptor non-blocking: %w", err)
	}
	w := watched{file: os.NewFile(uintptr(fd), "tendon-client")}
	if w.conn, err = w.file.SyscallConn(); err == nil {
		// Fails when the descriptor could not be added to the poller, without which nothing would
		// wake.
		err = w.file.SetReadDeadline(time.Time{})
	}
	if err != nil {
		_ = w.file.Close()
		return watched{}, fmt.Errorf("redis: watching a descriptor: %w", err)
	}
	return w, nil
}

func startReader(c *Client) (*reader, error) {
	own, err := watchDuplicate(c.host.fd)
	if err != nil {
		return nil, err
	}
	r := &reader{client: c, host: c.host, handle: c.handle, calls: &c.calls, own: own,
		lent: map[*os.File]struct{}{}}
	r.running.Add(1)
	go func() {
		defer r.running.Done()
		r.run(r.own.conn, 0)
	}()
	return r, nil
}

// run drives until stop, or until the loan has ended.
func (r *reader) run(conn syscall.RawConn, loan C.uint64_t) {
	for open := true; open && !r.stopping.Load(); {
		// Read returns early with an error only when stop has set a deadline in the past.
		_ = conn.Read(func(uintptr) bool {
			open = r.drive(loan) || loan == 0
			return !open || r.stopping.Load()
		})
	}
}

// drive lets the client do everything there is to do and delivers what completes. It reports
// whether what is waited for is still there.
func (r *reader) drive(loan C.uint64_t) (open bool) {
	for more := true; more; {
		var after aftermath
		r.taking.Lock()
		r.client.token.take()
		count := C.tendon_go_turn(r.handle, loan)
		open, more = bool(r.host.open), bool(r.host.more)
		if r.host.lent_fd >= 0 {
			more = !r.waitForLent(int(r.host.lent_fd), r.host.loan) || more
		}
		r.client.release(&after)
		r.deliverAll(count)
		r.taking.Unlock()
		r.client.tell(&after)
		if more && count == 0 {
			runtime.Gosched() // what was done completes nothing yet
		}
	}
	return open
}

// waitForLent drives for a socket that was lent, on a goroutine of its own, or gives it back. The
// caller holds taking and the token.
func (r *reader) waitForLent(fd int, loan C.uint64_t) bool {
	w, err := watch(fd)
	if err != nil {
		C.tendon_go_take_back(r.handle, loan)
		return false
	}
	r.lent[w.file] = struct{}{}
	r.running.Add(1)
	go func() {
		defer r.running.Done()
		r.run(w.conn, loan)
		r.taking.Lock()
		delete(r.lent, w.file)
		r.taking.Unlock()
		_ = w.file.Close()
	}()
	return true
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

// stop ends the goroutines and closes their descriptors.
func (r *reader) stop() {
	r.stopping.Store(true)
	past := time.Unix(1, 0)
	_ = r.own.file.SetReadDeadline(past)
	r.taking.Lock()
	for file := range r.lent {
		_ = file.SetReadDeadline(past)
	}
	r.taking.Unlock()
	r.running.Wait()
	_ = r.own.file.Close()
}
