package redis_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	redis "tendon.dev/redis"
)

func TestWrongOptions(t *testing.T) {
	addr := servers(t).Standalone.addr()
	for name, one := range map[string]struct {
		opt    redis.Options
		status string
		words  []string
	}{
		"name": {redis.Options{CoreOptions: map[string]string{"pool_maxx": "3"}}, "CONFIG",
			[]string{"pool_maxx", "pool_max"}},
		"value": {redis.Options{CoreOptions: map[string]string{"pool_max": "many"}},
			"CONFIG", []string{"pool_max", "many"}},
		"pool size": {redis.Options{PoolSize: -3}, "CONFIG", []string{"pool_max",
			"Options.PoolSize"}},
		"database": {redis.Options{DB: -1}, "CONFIG", []string{"db"}},
		"protocol": {redis.Options{Protocol: 4}, "CONFIG", []string{"Protocol", "4"}},
		"address":  {redis.Options{Addr: "nonsense"}, "CONFIG", []string{"Addr", `"nonsense"`}},
		"port": {redis.Options{Addr: "localhost:66000"}, "CONFIG", []string{"port",
			"66000"}},
		"network": {redis.Options{Network: "udp"}, "CONFIG", []string{"Network", "udp"}},
		"name of user": {redis.Options{ClientName: "with blank"}, "CONFIG",
			[]string{"client_name"}},
		"CA file": {redis.Options{TLSConfig: &tls.Config{},
			CoreOptions: map[string]string{"tls_ca_file": "/nonexistent/ca.pem"}},
			"TLS_CONFIG", []string{"/nonexistent/ca.pem"}},
	} {
		t.Run(name, func(t *testing.T) {
			if one.opt.Addr == "" {
				one.opt.Addr = addr
			}
			failure := refused(t, open(t, &one.opt), one.status, one.words...)
			if failure.Temporary() {
				t.Error("a wrong option is not temporary")
			}
		})
	}
}

func TestWrongURLs(t *testing.T) {
	for url, want := range map[string]string{
		"http://localhost":                   "redis: invalid URL scheme: http",
		"localhost:6379":                     "redis: invalid URL scheme: localhost",
		"redis://localhost/1/2":              "redis: invalid URL path: /1/2",
		"redis://localhost/a":                `redis: invalid database number: "a"`,
		"redis://localhost?foo=bar":          "redis: unexpected option: foo",
		"redis://localhost?pool_size=x":      `redis: invalid pool_size number: "x"`,
		"redis://localhost?read_timeout=x":   `redis: invalid read_timeout duration: "x"`,
		"redis://localhost?skip_verify=true": "redis: skip_verify needs rediss://",
		"unix://":                            "redis: empty unix socket path",
		"redis://u:secret@host:port":         "invalid port",
		"redis://u:secret@host/%zz":          "invalid URL escape",
	} {
		opt, err := redis.ParseURL(url)
		if err == nil || !strings.Contains(err.Error(), want) || opt != nil {
			t.Errorf("%s gave %v, %v", url, opt, err)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error tells the password: %v", err)
		}
	}
}

func TestTLSToPlainAndReverse(t *testing.T) {
	s := servers(t)
	// A plain server waits for the end of a line in the TLS greeting, so the deadline is what ends
	// this.
	c := open(t, &redis.Options{Addr: s.Standalone.addr(), TLSConfig: &tls.Config{},
		DialTimeout: 2 * time.Second, MaxRetries: -1})
	refused(t, c, "CONNECT_TIMEOUT", "TLS")
	c = open(t, &redis.Options{Addr: s.TLS.addr()})
	var err error
	within(t, soon, func() { err = c.Ping(bg(t)).Err() })
	var failure *redis.ClientError
	if !errors.As(err, &failure) || !strings.Contains(err.Error(), "TLS") {
		t.Fatalf("plain to a TLS port gave %v, which does not name TLS", err)
	}
	t.Logf("%s: %v", failure.Status, err)
}

func TestWrongPassword(t *testing.T) {
	acl := servers(t).ACL
	c := open(t, &redis.Options{Addr: acl.addr(), Username: acl.Username, Password: "wrong"})
	within(t, soon, func() {
		err := c.Ping(bg(t)).Err()
		var reply redis.Error
		if !errors.As(err, &reply) || !strings.HasPrefix(reply.Error(),
			"WRONGPASS ") || !redis.IsAuthError(err) {
			t.Fatalf("a wrong password gave %v", err)
		}
		if strings.Contains(err.Error(), "wrong\"") {
			t.Errorf("the error tells the password: %v", err)
		}
	})
	none := open(t, &redis.Options{Addr: acl.addr()})
	if err := none.Ping(bg(t)).Err(); !redis.IsAuthError(err) {
		t.Fatalf("no password gave %v", err)
	}
}

func TestUnreachableHosts(t *testing.T) {
	t.Run("refused", func(t *testing.T) {
		c := open(t, &redis.Options{Addr: "127.0.0.1:1"})
		failure := refused(t, c, "CONNECT", "127.0.0.1:1")
		if failure.Timeout() {
			t.Error("a refused connection is no timeout")
		}
	})
	t.Run("unknown name", func(t *testing.T) {
		// Two dots in a row are no name, so no name server is asked, who may be slow or away.
		refused(t, open(t, &redis.Options{Addr: "no..such.invalid:6379"}), "RESOLVE",
			"no..such.invalid")
	})
	t.Run("silent", func(t *testing.T) {
		// A full backlog leaves connections without an answer, on every network.
		addr := silentAddr(t)
		c := open(t, &redis.Options{Addr: addr, DialTimeout: 300 * time.Millisecond,
			MaxRetries: -1})
		within(t, soon, func() {
			err := c.Ping(bg(t)).Err()
			var timeout net.Error
			if !errors.As(err, &timeout) || !timeout.Timeout() || !errors.Is(err,
				os.ErrDeadlineExceeded) {
				t.Fatalf("a silent host gave %v", err)
			}
		})
	})
	t.Run("no socket", func(t *testing.T) {
		refused(t, open(t, &redis.Options{Addr: "/nonexistent/redis.sock"}), "CONNECT",
			"/nonexistent/redis.sock")
	})
}

// silentAddr accepts connections and never says a word.
func silentAddr(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().String()
}

func TestClosedClient(t *testing.T) {
	c, _ := standalone(t)
	ctx := bg(t)
	must(t, c.Ping(ctx).Err())
	must(t, c.Close())
	if err := c.Ping(ctx).Err(); err != redis.ErrClosed {
		t.Errorf("a command gave %v", err)
	}
	pipe := c.Pipeline()
	get := pipe.Get(ctx, "k")
	if _, err := pipe.Exec(ctx); err != redis.ErrClosed || get.Err() != redis.ErrClosed {
		t.Errorf("a pipeline gave %v and %v", err, get.Err())
	}
	if err := c.Watch(ctx, func(*redis.Tx) error { return nil }, "k"); err != redis.ErrClosed {
		t.Errorf("Watch gave %v", err)
	}
	if err := c.Close(); err != redis.ErrClosed {
		t.Errorf("a second Close gave %v", err)
	}
	if stats := c.PoolStats(); stats.TotalConns != 0 {
		t.Errorf("statistics of a closed client: %+v", stats)
	}
	cluster := openCluster(t, &redis.ClusterOptions{Addrs: servers(t).Cluster.addrs()})
	must(t, cluster.Close())
	must(t, cluster.Close())
	if err := cluster.Ping(ctx).Err(); err != redis.ErrClosed {
		t.Errorf("a command gave %v", err)
	}
}

func TestHandlesNobodyMade(t *testing.T) {
	ctx := bg(t)
	var zero redis.Client
	if err := zero.Ping(ctx).Err(); err == nil || !strings.Contains(err.Error(), "NewClient") {
		t.Errorf("a zero Client gave %v", err)
	}
	if _, err := zero.Pipelined(ctx,
		func(p redis.Pipeliner) error { return p.Ping(ctx).Err() }); err == nil {
		t.Error("a zero Client ran a pipeline")
	}
	if err := zero.Close(); err == nil {
		t.Error("a zero Client closed")
	}
	if _, err := new(redis.Pipeline).Exec(ctx); err == nil {
		t.Error("a zero Pipeline ran")
	}
	for name, call := range map[string]func(){
		"NewClient(nil)":        func() { redis.NewClient(nil) },
		"NewClusterClient(nil)": func() { redis.NewClusterClient(nil) },
		"nil *Client":           func() { (*redis.Client)(nil).Ping(ctx) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s did not panic", name)
				}
			}()
			call()
		}()
	}
}

func TestCommandsForNobodyElsesConnection(t *testing.T) {
	c, _ := standalone(t)
	ctx := bg(t)
	for _, args := range [][]interface{}{{"select", 3}, {"watch", "k"}, {"multi"}, {"quit"},
		{"subscribe", "x"},
		{"monitor"}, {"client", "reply", "off"}, {"auth", "x"}, {"reset"}} {
		err := c.Do(ctx, args...).Err()
		var failure *redis.ClientError
		if !errors.As(err, &failure) || failure.Executed() != redis.ExecutedNo ||
			!strings.Contains(err.Error(), args[0].(string)) {
			t.Errorf("%v gave %v", args, err)
		}
		must(t, c.Ping(ctx).Err())
	}
}

func TestHugeValue(t *testing.T) {
	c, key := standalone(t)
	ctx := bg(t)
	must(t, c.Set(ctx, key, "kept", time.Minute).Err())
	huge := make([]byte, 600<<20)
	within(t, patience, func() {
		err := c.Set(ctx, key, huge, time.Minute).Err()
		var failure *redis.ClientError
		if !errors.As(err,
			&failure) || failure.Status != "LIMIT" || failure.Executed() != redis.ExecutedNo {
			t.Fatalf("600 MB gave %v", err)
		}
		text := strings.ToLower(err.Error())
		if !strings.Contains(text, "max_request_bytes") || !strings.Contains(text, "of set") {
			t.Errorf("%q names neither the command nor the limit", err)
		}
	})
	value, err := c.Get(ctx, key).Result()
	same(t, value, err, "kept")
}

func TestKeyWithNULBytes(t *testing.T) {
	protocols(t, func(t *testing.T, c *redis.Client, key string) {
		ctx := bg(t)
		key += "a\x00b\r\n\x00"
		must(t, c.Set(ctx, key, "\x00\r\n\xff", time.Minute).Err())
		value, err := c.Get(ctx, key).Result()
		same(t, value, err, "\x00\r\n\xff")
		count, err := c.Del(ctx, key).Result()
		same(t, count, err, 1)
	})
}

func TestGarbage(t *testing.T) {
	for name, garbage := range map[string]string{
		"http":    "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
		"binary":  "\x15\x03\x01\x00\x02\x02\x50\r\n",
		"lengths": "$-7\r\n", "depth": strings.Repeat("*1\r\n", 1000),
		"huge": "$99999999999999\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			addr := startFake(t, func([]string) (string, error) { return garbage, io.EOF })
			c := open(t, &redis.Options{Addr: addr, ReadTimeout: 2 * time.Second,
				MaxRetries: 1})
			within(t, soon, func() {
				err := c.Ping(bg(t)).Err()
				var failure *redis.ClientError
				if !errors.As(err, &failure) {
					t.Fatalf("garbage in the handshake gave %v", err)
				}
				t.Logf("%s: %v", failure.Status, err)
			})
			addr = startFake(t, asServer(func([]string) (string, error) { return garbage, io.EOF }))
			c = open(t, &redis.Options{Addr: addr, ReadTimeout: 2 * time.Second,
				MaxRetries: 1})
			within(t, soon, func() {
				err := c.Incr(bg(t), "k").Err()
				var failure *redis.ClientError
				if !errors.As(err, &failure) || failure.Executed() == redis.ExecutedNo {
					t.Fatalf("garbage for a reply gave %v", err)
				}
				t.Logf("%s, executed %v: %v", failure.Status, failure.Executed(), err)
			})
		})
	}
}

// TestNilArguments: what is nil and stands alone is no argument, as in go-redis, so that nobody
// pushes an empty string by mistake; among others it is an empty one.
func TestNilArguments(t *testing.T) {
	c, _ := standalone(t)
	ctx, key := bg(t), "{go}nil"
	must(t, c.Del(ctx, key).Err())
	defer c.Del(ctx, key)
	var pointer *string
	for _, nothing := range []interface{}{nil, pointer} {
		for _, cmd := range []redis.Cmder{c.RPush(ctx, key, nothing), c.SAdd(ctx, key, nothing)} {
			if !redis.HasErrorPrefix(cmd.Err(), "wrong number of arguments") {
				t.Errorf("%v gave %v", cmd, cmd.Err())
			}
		}
		if err := c.Eval(ctx, "return ARGV[1]", []string{key}, nothing).Err(); err != redis.Nil {
			t.Errorf("a script's only argument %T: %v", nothing, err)
		}
	}
	must(t, c.RPush(ctx, key, nil, uintptr(3)).Err())
	if got := c.LRange(ctx, key, 0, -1).Val(); len(got) != 2 || got[0] != "" || got[1] != "3" {
		t.Errorf("the list has %q", got)
	}
}
