package redis_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	redis "tendon.dev/redis"
)

// endpoint is one server of docs/testing.md.
type endpoint struct {
	Host            string   `json:"host"`
	Port            int      `json:"port"`
	PID             int      `json:"pid"`
	Command         []string `json:"command"`
	UnixSocket      string   `json:"unix_socket"`
	Username        string   `json:"username"`
	Password        string   `json:"password"`
	DefaultPassword string   `json:"default_password"`
	ReadonlyUser    string   `json:"readonly_username"`
	ReadonlyPass    string   `json:"readonly_password"`
	CAFile          string   `json:"ca_file"`
	CertFile        string   `json:"cert_file"`
	KeyFile         string   `json:"key_file"`
	CertificateName string   `json:"certificate_name"`
	Role            string   `json:"role"`
}

func (e endpoint) addr() string { return net.JoinHostPort(e.Host, strconv.Itoa(e.Port)) }

type clusterOf struct {
	CAFile string     `json:"ca_file"`
	Nodes  []endpoint `json:"nodes"`
}

func (c clusterOf) addrs() []string {
	var addrs []string
	for _, node := range c.Nodes {
		addrs = append(addrs, node.addr())
	}
	return addrs
}

type testServers struct {
	OtherCAFile string    `json:"other_ca_file"`
	Standalone  endpoint  `json:"standalone"`
	ACL         endpoint  `json:"acl"`
	TLS         endpoint  `json:"tls"`
	MTLS        endpoint  `json:"mtls"`
	WrongCert   endpoint  `json:"wrong_cert"`
	Expendable  endpoint  `json:"expendable"`
	Cluster     clusterOf `json:"cluster"`
	TLSCluster  clusterOf `json:"tls_cluster"`
}

var readServers = sync.OnceValues(func() (*testServers, error) {
	data, err := os.ReadFile(os.Getenv("TENDON_SERVERS"))
	if err != nil {
		return nil, err
	}
	s := &testServers{}
	return s, json.Unmarshal(data, s)
})

func servers(t testing.TB) *testServers {
	t.Helper()
	s, err := readServers()
	if err != nil {
		t.Fatalf("these tests need real servers: eval \"$(./dev env)\" first (%v)", err)
	}
	return s
}

// patience is longer than anything takes that does not hang, however busy the machine is.
const patience = time.Minute

// soon is for what ends by a time-out of at most two seconds, which a busy machine notices late.
const soon = 20 * time.Second

// bg ends long after any test should, so that a hang is a failure and not the end of the run.
func bg(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	t.Cleanup(cancel)
	return ctx
}

// open makes a client that is closed with the test. One that says nothing about time is patient:
// under a sanitizer on a busy machine the three seconds of the default may be too short.
func open(t testing.TB, opt *redis.Options) *redis.Client {
	t.Helper()
	own := *opt
	if own.ReadTimeout == 0 {
		own.ReadTimeout = patience
	}
	c := redis.NewClient(&own)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// standalone is a client of the plain server, with a key prefix of the test's own that is deleted
// after it.
func standalone(t testing.TB) (*redis.Client, string) {
	t.Helper()
	return open(t, &redis.Options{Addr: servers(t).Standalone.addr()}), prefix(t)
}

func prefix(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("go:%s:%d:", t.Name(), time.Now().UnixNano())
	t.Cleanup(func() {
		c := redis.NewClient(&redis.Options{Addr: servers(t).Standalone.addr()})
		defer c.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		for it := c.Scan(ctx, 0, name+"*", 1000).Iterator(); it.Next(ctx); {
			c.Del(ctx, it.Val())
		}
	})
	return name
}

// must fails the test at the first error.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// same compares a value that came with an error.
func same[T comparable](t testing.TB, got T, err error, want T) {
	t.Helper()
	if err != nil {
		t.Fatalf("got error %v, want %v", err, want)
	}
	if got != want {
		t.Fatalf("got %v, want %v", got, want)
	}
}

// within fails a test whose call outlived its deadline.
func within(t testing.TB, limit time.Duration, call func()) {
	t.Helper()
	start := time.Now()
	call()
	if took := time.Since(start); took > limit {
		t.Errorf("took %v, the limit is %v", took, limit)
	}
}

// fakeServer answers each command with what `reply` returns; "" answers nothing, and io.EOF hangs
// up.
type fakeServer struct {
	listener net.Listener
	accepted sync.WaitGroup
}

func startFake(t testing.TB, reply func(args []string) (string, error)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	f := &fakeServer{listener: listener}
	f.accepted.Add(1)
	go func() {
		defer f.accepted.Done()
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
			go serveFake(conn, reply)
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		f.accepted.Wait()
	})
	return listener.Addr().String()
}

func serveFake(conn net.Conn, reply func(args []string) (string, error)) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		args, err := readCommand(in)
		if err != nil {
			return
		}
		answer, err := reply(args)
		if _, failed := io.WriteString(conn, answer); err != nil || failed != nil {
			return
		}
	}
}

func readCommand(in *bufio.Reader) ([]string, error) {
	count, err := readHeader(in)
	if err != nil {
		return nil, err
	}
	args := make([]string, count)
	for i := range args {
		size, err := readHeader(in)
		if err != nil {
			return nil, err
		}
		data := make([]byte, size+2)
		if _, err := io.ReadFull(in, data); err != nil {
			return nil, err
		}
		args[i] = string(data[:size])
	}
	return args, nil
}

func readHeader(in *bufio.Reader) (int, error) {
	line, err := in.ReadString('\n')
	if err != nil || len(line) < 4 {
		return 0, io.ErrUnexpectedEOF
	}
	return strconv.Atoi(strings.TrimSpace(line[1:]))
}

// asServer answers the handshake as a server does, and everything else by `reply`.
func asServer(reply func(args []string) (string, error)) func(args []string) (string, error) {
	return func(args []string) (string, error) {
		switch strings.ToUpper(args[0]) {
		case "HELLO":
			return "%2\r\n$5\r\nproto\r\n:3\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n", nil
		case "CLIENT", "SELECT":
			return "+OK\r\n", nil
		case "PING":
			return "+PONG\r\n", nil
		}
		return reply(args)
	}
}

// ownServer is a redis-server of the test's own, to be stopped in the middle of something.
type ownServer struct {
	port    int
	process *exec.Cmd
}

func startOwn(t testing.TB, port int, extra ...string) *ownServer {
	t.Helper()
	own := &ownServer{port: port}
	args := []string{"--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--save", "",
		"--appendonly", "no", "--enable-debug-command", "yes", "--dir", t.TempDir()}
	own.process = exec.Command(servers(t).Expendable.Command[0], append(args, extra...)...)
	must(t, own.process.Start())
	t.Cleanup(own.kill)
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", own.addr())
		if err == nil {
			_ = conn.Close()
			return own
		}
		if time.Now().After(deadline) {
			t.Fatalf("redis-server did not start on port %d: %v", port, err)
		}
	}
}

func (s *ownServer) addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

func (s *ownServer) kill() {
	_ = s.process.Process.Signal(syscall.SIGCONT)
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
}

func (s *ownServer) freeze() { _ = s.process.Process.Signal(syscall.SIGSTOP) }

// freePort is a port below 22000 that nobody listens on.
func freePort(t testing.TB) int {
	t.Helper()
	for port := 21000 + os.Getpid()%500; port < 22000; port++ {
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			_ = listener.Close()
			return port
		}
	}
	t.Fatal("no free port from 21000 to 21999")
	return 0
}
