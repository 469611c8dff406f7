package stream

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// echo is the far end: it sends back what it gets.
func echo(t *testing.T) Dial {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(conn, conn) }()
		}
	}()
	return func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", listener.Addr().String())
	}
}

func start(t *testing.T, dial Dial, timeout time.Duration) *Bridge {
	t.Helper()
	b, err := Open(dial, timeout)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func TestBothWays(t *testing.T) {
	b := start(t, echo(t), time.Second)
	conn, err := net.Dial("unix", b.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	sent := bytes.Repeat([]byte("tendon"), 100_000)
	go func() { _, _ = conn.Write(sent) }()
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(got, sent) {
		t.Fatalf("the bytes did not come back: %v", err)
	}
	if b.Cause() != nil {
		t.Errorf("a cause without a failure: %v", b.Cause())
	}
}

func TestFailedDialEndsTheStream(t *testing.T) {
	refusal := errors.New("refused")
	b := start(t, func(context.Context) (net.Conn, error) { return nil, refusal }, time.Second)
	readEnd(t, b)
	if b.Cause() != refusal {
		t.Errorf("the cause is %v", b.Cause())
	}
	b = start(t, func(context.Context) (net.Conn, error) { return nil, nil }, time.Second)
	readEnd(t, b)
	if b.Cause() == nil {
		t.Error("a dialler that returned nothing has no cause")
	}
}

func TestDialTimesOut(t *testing.T) {
	b := start(t, func(ctx context.Context) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}, 50*time.Millisecond)
	readEnd(t, b)
	if !errors.Is(b.Cause(), context.DeadlineExceeded) {
		t.Errorf("the cause is %v", b.Cause())
	}
}

func readEnd(t *testing.T, b *Bridge) {
	t.Helper()
	conn, err := net.Dial("unix", b.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	if n, err := conn.Read(make([]byte, 1)); n != 0 || err == nil || os.IsTimeout(err) {
		t.Fatalf("read %d, %v; want the end", n, err)
	}
}

func TestCloseEndsEverything(t *testing.T) {
	b, err := Open(echo(t), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("unix", b.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = conn.Write([]byte("x"))
	_, _ = io.ReadFull(conn, make([]byte, 1))
	b.Close()
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("a stream outlived its bridge")
	}
	if _, err := os.Stat(b.directory); !os.IsNotExist(err) {
		t.Errorf("the directory is still there: %v", err)
	}
}

func TestSocketIsPrivate(t *testing.T) {
	b := start(t, echo(t), 0)
	info, err := os.Stat(b.directory)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
}

func TestLongTemporaryDirectory(t *testing.T) {
	long := t.TempDir() + "/" + strings.Repeat("d", 100)
	if err := os.Mkdir(long, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", long)
	b := start(t, echo(t), time.Second)
	if len(b.Path()) > pathMax {
		t.Fatalf("%s does not fit a socket address", b.Path())
	}
}

// Bytes keep their order, whether the poller finds them or the bridge is told of them.
func TestHurriedBytesKeepTheirOrder(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	b := start(t, echo(t), time.Second)
	conn, err := net.Dial("unix", b.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var sent []byte
	for i := 0; i < 50_000; i++ {
		sent = append(sent, byte(i), byte(i>>8))
	}
	go func() {
		for at := 0; at < len(sent); at += 100 {
			_, _ = conn.Write(sent[at : at+100])
			b.Hurry()
		}
	}()
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(got, sent) {
		t.Fatalf("other bytes came back, or not all: %v", err)
	}
	if b.latest.Load() == nil {
		t.Error("nobody was hurried")
	}
}
