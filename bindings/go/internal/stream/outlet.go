package stream

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
)

// outletBytes is the most that is carried at once; as much as io.Copy does.
const outletBytes = 32 << 10

// outlet carries what libtendon writes to a connection that Go made. One goroutine waits for it in
// Go's poller; another, which the bridge hurries, may be sooner.
type outlet struct {
	bridge  *Bridge
	local   syscall.RawConn
	remote  io.Writer
	hurried chan struct{}
	over    chan struct{} // closed when the connection is

	carrying sync.Mutex // held from reading something until it is written
	buffer   []byte
	ended    bool
}

func newOutlet(b *Bridge, local net.Conn, remote io.Writer) (*outlet, error) {
	socket, ok := local.(syscall.Conn)
	if !ok {
		return nil, errors.New("the private socket has no descriptor")
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return nil, err
	}
	return &outlet{bridge: b, local: raw, remote: remote, hurried: make(chan struct{}, 1),
		over: make(chan struct{}), buffer: make([]byte, outletBytes)}, nil
}

// run carries until one side ends.
func (o *outlet) run(ended chan<- struct{}) {
	_ = o.local.Read(func(fd uintptr) bool {
		for o.carry(int(fd)) {
		}
		return o.hasEnded()
	})
	ended <- struct{}{}
}

// runHurried carries what is there whenever the bridge says so.
func (o *outlet) runHurried(ended chan<- struct{}) {
	for !o.hasEnded() {
		select {
		case <-o.hurried:
			_ = o.local.Control(func(fd uintptr) { o.carry(int(fd)) })
		case <-o.over:
			return
		}
	}
	ended <- struct{}{}
}

func (o *outlet) hasEnded() bool {
	o.carrying.Lock()
	defer o.carrying.Unlock()
	return o.ended
}

// close lets go of the goroutines; the caller closes both sides.
func (o *outlet) close() {
	close(o.over)
	o.bridge.latest.CompareAndSwap(o, nil)
}

// carry carries what is there, and reports whether there may be more.
func (o *outlet) carry(fd int) bool {
	o.carrying.Lock()
	defer o.carrying.Unlock()
	if o.ended {
		return false
	}
	n, err := syscall.Read(fd, o.buffer)
	if err == syscall.EINTR {
		return true
	}
	if err == syscall.EAGAIN {
		return false
	}
	if n > 0 {
		_, err = o.remote.Write(o.buffer[:n])
	}
	o.ended = n <= 0 || err != nil
	if !o.ended && o.bridge.latest.Load() != o {
		o.bridge.latest.Store(o)
		select {
		case <-o.over: // close was sooner, and would be forgotten
			o.bridge.latest.CompareAndSwap(o, nil)
		default:
		}
	}
	return !o.ended
}
