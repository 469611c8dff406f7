// Package stream supplies libtendon with connections that Go makes: a private Unix socket that
// libtendon dials, each connection of which is joined to one that a Go function dialled.
package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// closeTimeout is how long Close waits for dials that were told to end.
const closeTimeout = time.Second

// Dial makes one connection, ready for RESP: TLS is done.
type Dial func(ctx context.Context) (net.Conn, error)

// pathMax is what fits in sun_path on every system Go and libtendon run on, its final NUL left out.
const pathMax = 103

// Bridge listens on a socket that only this user can reach, and joins what connects to it.
type Bridge struct {
	timeout   time.Duration
	directory string
	listener  net.Listener
	ctx       context.Context
	cancel    context.CancelFunc
	joined    sync.WaitGroup

	mutex sync.Mutex
	dial  Dial
	cause error // why the last dial failed; nil after one that worked

	latest atomic.Pointer[outlet] // the one that carried something last
}

// Open starts a bridge. `timeout` bounds each dial; 0 means no bound but Close.
func Open(dial Dial, timeout time.Duration) (*Bridge, error) {
	directory, err := socketDirectory()
	if err != nil {
		return nil, fmt.Errorf("making a directory for the private socket: %w", err)
	}
	listener, err := net.Listen("unix", filepath.Join(directory, "s"))
	if err != nil {
		_ = os.RemoveAll(directory)
		return nil, fmt.Errorf("listening on the private socket: %w", err)
	}
	b := &Bridge{dial: dial, timeout: timeout, directory: directory, listener: listener}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	b.joined.Add(1)
	go b.accept()
	return b, nil
}

// socketDirectory makes a directory nobody else may enter (MkdirTemp gives it mode 0700): a socket
// in it would otherwise hand any local user an authenticated TLS stream. A long TMPDIR does not fit
// in a socket address, so /tmp is the fallback.
func socketDirectory() (string, error) {
	directory, err := os.MkdirTemp("", "tendon-go-")
	if err == nil && len(directory)+len("/s") <= pathMax {
		return directory, nil
	}
	if err == nil {
		_ = os.Remove(directory)
	}
	return os.MkdirTemp("/tmp", "tendon-go-")
}

// Path is the socket for libtendon to dial.
func (b *Bridge) Path() string { return filepath.Join(b.directory, "s") }

// SetDial makes the next connections in another way.
func (b *Bridge) SetDial(dial Dial) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.dial = dial
}

// Cause is why the latest dial failed, or nil. libtendon only sees its stream end.
func (b *Bridge) Cause() error {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.cause
}

// Close ends every joined connection and removes the socket.
func (b *Bridge) Close() {
	b.cancel()
	_ = b.listener.Close()
	// A dialler that ignores its context may never come back; its goroutine is then left behind.
	ended := make(chan struct{})
	go func() {
		b.joined.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(closeTimeout):
	}
	_ = os.RemoveAll(b.directory)
}

func (b *Bridge) accept() {
	defer b.joined.Done()
	for {
		local, err := b.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			// Descriptors may have run out; they come back, and a spinning loop would not help.
			time.Sleep(10 * time.Millisecond)
			continue
		}
		b.joined.Add(1)
		go b.join(local)
	}
}

// join copies both ways until either side ends, the bridge closes, or the dial fails.
func (b *Bridge) join(local net.Conn) {
	defer b.joined.Done()
	defer local.Close()
	remote, err := b.connect()
	b.mutex.Lock()
	b.cause = err
	b.mutex.Unlock()
	if err != nil {
		return
	}
	defer remote.Close()
	out, err := newOutlet(b, local, remote)
	if err != nil {
		return
	}
	defer out.close()
	ended := make(chan struct{}, 3)
	go out.run(ended)
	go out.runHurried(ended)
	go pump(local, remote, ended)
	select {
	case <-ended:
	case <-b.ctx.Done():
	}
}

// Hurry says that libtendon has just written. With one processor Go's poller tells of that only
// when no goroutine can run any more, and the server would wait for all of them; with more than one
// another is looking.
func (b *Bridge) Hurry() {
	if out := b.latest.Load(); out != nil && runtime.GOMAXPROCS(0) == 1 {
		select {
		case out.hurried <- struct{}{}:
		default:
		}
	}
}

func (b *Bridge) connect() (net.Conn, error) {
	ctx := b.ctx
	if b.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, b.timeout)
		defer cancel()
	}
	b.mutex.Lock()
	dial := b.dial
	b.mutex.Unlock()
	remote, err := dial(ctx)
	if err == nil && remote == nil {
		err = errors.New("the dialer returned neither a connection nor an error")
	}
	return remote, err
}

func pump(to io.Writer, from io.Reader, ended chan<- struct{}) {
	_, _ = io.Copy(to, from)
	ended <- struct{}{}
}
