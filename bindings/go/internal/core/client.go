// Package core is the only place where the binding meets C: it opens clients of libtendon, submits
// requests and waits for their completions. It knows nothing of commands, options or Go types of
// replies.
package core

/*
#cgo pkg-config: tendon
#include "bridge.h"
*/
import "C"

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"unsafe"
)

// Option is one named option of libtendon, as docs/options.md lists them.
type Option struct{ Name, Value string }

// Client is one tendon_client with a queue and a reader of its own. It has no thread: goroutines
// submit, and the reader's goroutine drives.
type Client struct {
	calls  calls
	reader *reader
	host   *C.tendon_go_host
	handle C.uintptr_t // the same, for the calls that must be cheap

	// users counts requests under way and other calls inside C, plus closedMark after Close. The
	// host lives until it is back at closedMark.
	users    atomic.Int64
	closing  atomic.Bool
	idle     chan struct{} // signalled when users comes back to closedMark
	flushing atomic.Bool   // somebody flushes soon, see flushSoon

	gathering gathering
	token     token

	// Wrote, unless nil, is called after the requests of several goroutines were written.
	Wrote func()

	leasesMutex sync.Mutex
	leases      map[*Lease]struct{} // not given back yet
	streams     map[*Subscription]struct{}
}

// closedMark makes users negative whatever it counts.
const closedMark = math.MinInt64 / 2

// Open makes a client. It does not connect.
func Open(options []Option) (*Client, *Failure) {
	if failure := checkABI(); failure != nil {
		return nil, failure
	}
	handle, failure := create(append(options[:len(options):len(options)], Option{"drive", "host"}))
	if failure != nil {
		return nil, failure
	}
	c := &Client{leases: map[*Lease]struct{}{}, streams: map[*Subscription]struct{}{},
		idle: make(chan struct{}, 1), token: token{freed: make(chan struct{}, 1)}}
	if c.host = C.tendon_go_host_create(handle); c.host == nil {
		return nil, statusFailure(C.TENDON_ERROR_NO_MEMORY)
	}
	c.handle = handleOf(c.host)
	reader, err := startReader(c)
	if err != nil {
		C.tendon_go_host_destroy(c.host)
		return nil, &Failure{Status: C.TENDON_ERROR_SYSTEM, Class: C.TENDON_CLASS_SYSTEM,
			Executed: ExecutedNo, Message: err.Error()}
	}
	c.reader = reader
	return c, nil
}

// enter counts `count` users in, which keeps the host alive until leave. It reports whether the
// client is open, and whether there were no other users.
func (c *Client) enter(count int) (open, alone bool) {
	now := c.users.Add(int64(count))
	if now < 0 {
		c.leave(count)
		return false, false
	}
	return true, now == int64(count)
}

// control makes a call that waits for the core's own lock: with the token, so that goroutines wait
// here and not operating system threads there. It delivers what the call completed.
func (c *Client) control(call func()) {
	c.token.take()
	call()
	c.crossAndRelease()
}

func (c *Client) leave(count int) {
	if c.users.Add(int64(-count)) == closedMark {
		select {
		case c.idle <- struct{}{}:
		default:
		}
	}
}

// handleOf is a host as a number, which cgo does not have to look at before it passes it.
func handleOf(host *C.tendon_go_host) C.uintptr_t {
	return C.uintptr_t(uintptr(unsafe.Pointer(host)))
}

// checkABI refuses a library that is older than the headers this was compiled with, or of another
// major.
func checkABI() *Failure {
	loaded := uint32(C.tendon_abi_version())
	if loaded>>16 == C.TENDON_ABI_MAJOR && loaded&0xffff >= C.TENDON_ABI_MINOR {
		return nil
	}
	return &Failure{Status: C.TENDON_ERROR_UNSUPPORTED, Class: C.TENDON_CLASS_ARGUMENT,
		Executed: ExecutedNo,
		Message: fmt.Sprintf("the loaded libtendon has ABI %d.%d, this program needs %d.%d; "+
			"install the matching library or build again", loaded>>16, loaded&0xffff,
			C.TENDON_ABI_MAJOR, C.TENDON_ABI_MINOR)}
}

func create(options []Option) (*C.tendon_client, *Failure) {
	var config *C.tendon_config
	if status := C.tendon_config_create(&config); status != C.TENDON_OK {
		return nil, statusFailure(int32(status))
	}
	defer C.tendon_config_destroy(config)
	for _, option := range options {
		if failure := set(config, option); failure != nil {
			return nil, failure
		}
	}
	var handle *C.tendon_client
	var cause *C.tendon_error
	if status := C.tendon_client_create(config, &handle, &cause); status != C.TENDON_OK {
		return nil, take(status, cause)
	}
	return handle, nil
}

func set(config *C.tendon_config, option Option) *Failure {
	name := C.CString(option.Name)
	defer C.free(unsafe.Pointer(name))
	var cause *C.tendon_error
	status := C.tendon_go_set(config, name, bytesOf(option.Value), C.size_t(len(option.Value)),
		&cause)
	if status != C.TENDON_OK {
		return take(C.tendon_status(status), cause)
	}
	return nil
}

// bytesOf points at the bytes of a string, or is nil for an empty one.
func bytesOf(text string) *C.uint8_t {
	if text == "" {
		return nil
	}
	return (*C.uint8_t)(unsafe.Pointer(unsafe.StringData(text)))
}

// Close ends everything: requests under way fail with StatusClosed, later ones are refused. It
// reports false when the client was closed already.
func (c *Client) Close() bool {
	if c.closing.Swap(true) {
		return false
	}
	c.endStreams()
	users := c.users.Add(closedMark)
	C.tendon_client_close(c.host.client)
	// All that was under way has completed now; whoever waits for it is woken and leaves.
	c.reader.collect()
	for ; users != closedMark; users = c.users.Load() {
		<-c.idle
	}
	c.endStreams() // what was opened meanwhile
	c.reader.stop()
	// Leases end before the client is destroyed, but after it was closed, so that what was under
	// way on them has failed as everything else has.
	for lease := range c.leases {
		C.tendon_lease_close(lease.handle)
		lease.handle = nil
	}
	C.tendon_go_host_destroy(c.host)
	return true
}

// Idle says whether nobody uses the client: no request is under way, no connection is lent, no
// subscription open.
func (c *Client) Idle() bool {
	c.leasesMutex.Lock()
	defer c.leasesMutex.Unlock()
	return c.users.Load() <= 0 && len(c.leases) == 0 && len(c.streams) == 0
}

// Closed says whether Close was called.
func (c *Client) Closed() bool { return c.closing.Load() }

// Nodes lists the nodes the client knows, one "host:port role slots" line each.
func (c *Client) Nodes() (string, *Failure) {
	if open, _ := c.enter(1); !open {
		return "", statusFailure(C.TENDON_ERROR_CLOSED)
	}
	defer c.leave(1)
	var reply *C.tendon_reply
	var cause *C.tendon_error
	var status C.tendon_status
	c.control(func() { status = C.tendon_client_nodes(c.host.client, &reply, &cause) })
	if status != C.TENDON_OK {
		return "", take(status, cause)
	}
	defer C.tendon_reply_destroy(reply)
	view := C.tendon_reply_view{struct_size: C.sizeof_tendon_reply_view}
	if status := C.tendon_reply_look(reply, &view); status != C.TENDON_OK {
		return "", statusFailure(int32(status))
	}
	tape := makeTape(unsafe.Pointer(view.nodes), uint64(view.node_count),
		unsafe.Pointer(view.data), uint64(view.data_bytes))
	return tape.Text(0), nil
}

// Stats are the counters and gauges the binding shows; see <tendon/stats.h>.
type Stats struct {
	Open, Idle, Pending                            uint32
	Created, Retired, Unusable, Requests           uint64
	Borrows, Waits, WaitTimeouts, WaitMicroseconds uint64
}

// Stats reads the counters; all are zero after Close.
func (c *Client) Stats() Stats {
	if open, _ := c.enter(1); !open {
		return Stats{}
	}
	defer c.leave(1)
	raw := C.tendon_stats{struct_size: C.sizeof_tendon_stats}
	var status C.tendon_status
	c.control(func() { status = C.tendon_client_stats(c.host.client, &raw) })
	if status != C.TENDON_OK {
		return Stats{}
	}
	return Stats{
		Open: uint32(raw.open), Idle: uint32(raw.idle), Pending: uint32(raw.pending),
		Created: uint64(raw.created), Requests: uint64(raw.requests),
		Retired:  uint64(raw.closed_idle + raw.closed_lifetime + raw.closed_stale),
		Unusable: uint64(raw.closed_unhealthy + raw.closed_error + raw.closed_dirty),
		Borrows:  uint64(raw.borrows), Waits: uint64(raw.waits),
		WaitTimeouts: uint64(raw.wait_timeouts), WaitMicroseconds: uint64(raw.wait_us),
	}
}

// KeySlot is the cluster slot of a key.
func KeySlot(key string) uint32 {
	return uint32(C.tendon_go_slot(bytesOf(key), C.size_t(len(key))))
}

// Version is the release of the loaded library.
func Version() string { return C.GoString(C.tendon_version()) }

// TLSVersion names the TLS library inside it, or is "none".
func TLSVersion() string { return C.GoString(C.tendon_tls_version()) }
