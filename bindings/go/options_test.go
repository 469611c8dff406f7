package redis

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"tendon.dev/redis/internal/core"
)

// asMap gives what reaches libtendon; the last value of an option wins, as there.
func (s settings) asMap() map[string]string {
	all := map[string]string{}
	for _, option := range s {
		all[option.Name] = option.Value
	}
	return all
}

func mapped(t *testing.T, o Options) map[string]string {
	t.Helper()
	o.fill()
	s, err := o.config("")
	if err != nil {
		t.Fatal(err)
	}
	return s.asMap()
}

func expect(t *testing.T, got map[string]string, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s is %q, want %q", name, got[name], value)
		}
	}
}

func TestDefaultsAreThoseOfGoRedis(t *testing.T) {
	o := Options{}
	o.fill()
	if o.PoolSize != 10*runtime.GOMAXPROCS(0) || o.Addr != "localhost:6379" || o.Network != "tcp" {
		t.Errorf("%+v", o)
	}
	expect(t, mapped(t, Options{}), map[string]string{
		"host": "localhost", "port": "6379", "mode": "standalone", "protocol": "3",
		"max_retries":          "3",
		"retry_backoff_min_ms": "8", "retry_backoff_max_ms": "512", "connect_timeout_ms": "5000",
		"reconnect_backoff_max_ms": "100", "read_timeout_ms": "3000", "write_timeout_ms": "3000",
		"command_timeout_ms": "0",
		"pool_wait_ms":       "4000", "pool_min_idle": "0", "pool_idle_timeout_ms": "1800000",
		"pool_lifetime_ms": "0", "lib_name": "tendon-go", "tls": "", "db": "0",
	})
}

func TestOptionsMap(t *testing.T) {
	expect(t, mapped(t, Options{
		Addr: "[::1]:7000", Username: "u", Password: "p", DB: 3, MaxRetries: -1,
		MinRetryBackoff: -1,
		DialTimeout:     1500 * time.Microsecond, ReadTimeout: -1, PoolSize: 50, MinIdleConns: 10,
		MaxIdleConns: 20, ConnMaxIdleTime: -1, ConnMaxLifetime: time.Hour,
		ConnMaxLifetimeJitter: 6 * time.Minute,
		Protocol:              2, IdentitySuffix: "x", CoreOptions: map[string]string{"lanes": "2"},
	}), map[string]string{
		"host": "::1", "port": "7000", "username": "u", "password": "p", "db": "3",
		"max_retries":    "0",
		"retry_strategy": "none", "connect_timeout_ms": "2", "read_timeout_ms": "0",
		"write_timeout_ms": "0",
		"pool_max":         "50", "pool_min_idle": "10",
		"pool_max_idle": "20", "pool_wait_ms": "30000",
		"pool_idle_timeout_ms": "0", "pool_lifetime_ms": "3600000", "pool_jitter_percent": "10",
		"protocol": "2", "lib_name": "tendon-go(x)", "lanes": "2",
	})
	expect(t, mapped(t, Options{Addr: "/tmp/s", PoolSize: 9, MaxActiveConns: 4,
		DisableIdentity: true}),
		map[string]string{"unix_socket": "/tmp/s", "pool_max": "4", "pool_wait_ms": "0",
			"lib_name": ""})
}

func TestOptionsAreNotChanged(t *testing.T) {
	o := &Options{Addr: "127.0.0.1:1", MaxRetries: -1}
	_ = NewClient(o).Close()
	if o.MaxRetries != -1 || o.PoolSize != 0 {
		t.Errorf("the caller's options became %+v", o)
	}
}

func noCertificate(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return nil, nil }

func TestTLSMapping(t *testing.T) {
	expect(t, mapped(t, Options{TLSConfig: &tls.Config{}}), map[string]string{"tls": "yes"})
	expect(t, mapped(t, Options{TLSConfig: &tls.Config{ServerName: "n", InsecureSkipVerify: true,
		MinVersion: tls.VersionTLS13, MaxVersion: tls.VersionTLS13}}), map[string]string{
		"tls": "yes", "tls_server_name": "n", "tls_insecure_skip_verify": "yes",
		"tls_min_version": "1.3"})
	for name, config := range map[string]*tls.Config{
		"RootCAs":              {RootCAs: x509.NewCertPool()},
		"Certificates":         {Certificates: []tls.Certificate{{}}},
		"CipherSuites":         {CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}},
		"KeyLogWriter":         {KeyLogWriter: io.Discard},
		"Time":                 {Time: time.Now},
		"MinVersion":           {MinVersion: tls.VersionTLS10},
		"MaxVersion":           {MaxVersion: tls.VersionTLS12},
		"GetClientCertificate": {GetClientCertificate: noCertificate},
		"VerifyPeerCertificate": {VerifyPeerCertificate: func([][]byte,
			[][]*x509.Certificate) error {
			return nil
		}},
		"VerifyConnection": {VerifyConnection: func(tls.ConnectionState) error { return nil }},
	} {
		names := unmappable(config)
		if len(names) != 1 || !strings.HasPrefix(names[0], name) {
			t.Errorf("%s: %v cannot be mapped", name, names)
		}
		o := Options{Addr: "h:1", TLSConfig: config}
		o.fill()
		if o.connector(nil) == nil {
			t.Errorf("%s: Go does not make the connections", name)
		}
	}
	if (&Options{TLSConfig: &tls.Config{ServerName: "n"}}).connector(nil) != nil ||
		(&Options{}).connector(nil) != nil {
		t.Error("Go makes connections that libtendon can make")
	}
}

func TestClusterOptionsMap(t *testing.T) {
	o := &ClusterOptions{Addrs: []string{"a:1", "b:2"}, MaxRedirects: 7, ReadOnly: true,
		TLSConfig: &tls.Config{ServerName: "n"}}
	s, err := o.config(o.perNode())
	if err != nil {
		t.Fatal(err)
	}
	expect(t, s.asMap(), map[string]string{
		"mode": "cluster", "endpoints": "a:1,b:2", "max_redirects": "7", "max_retries": "7",
		"read_from": "replica", "tls": "yes", "tls_server_name": "n",
		"cluster_refresh_interval_ms": "60000",
	})
	o = &ClusterOptions{Addrs: []string{"a:1"}, MaxRedirects: -1, RouteRandomly: true}
	if s, err = o.config(o.perNode()); err != nil {
		t.Fatal(err)
	}
	expect(t, s.asMap(), map[string]string{"max_redirects": "0", "max_retries": "0",
		"read_from": "any"})
	universal := &UniversalOptions{Addrs: []string{"a:1", "b:1"},
		Dialer: func(context.Context, string, string) (net.Conn, error) { return nil, nil }}
	own := universal.Cluster()
	if _, err = own.config(own.perNode()); err == nil || !strings.Contains(err.Error(), "Dialer") {
		t.Errorf("a Dialer with a cluster gave %v", err)
	}
}

func TestParseURL(t *testing.T) {
	o, err := ParseURL("redis://user:p%40w@h:6789/3?dial_timeout=3&read_timeout=6s&" +
		"pool_size=7&idle_timeout=0")
	if err != nil {
		t.Fatal(err)
	}
	if o.Addr != "h:6789" || o.Username != "user" || o.Password != "p@w" || o.DB != 3 ||
		o.DialTimeout != 3*time.Second || o.ReadTimeout != 6*time.Second || o.PoolSize != 7 ||
		o.ConnMaxIdleTime != -1 || o.TLSConfig != nil {
		t.Errorf("%+v", o)
	}
	o, err = ParseURL("rediss://[::1]/?db=4")
	if err != nil || o.Addr != "[::1]:6379" || o.DB != 4 ||
		o.TLSConfig.ServerName != "::1" || o.TLSConfig.MinVersion != tls.VersionTLS12 {
		t.Errorf("%+v, %v", o, err)
	}
	if o, err = ParseURL("unix://u:p@/path/r.sock?db=2"); err != nil || o.Network != "unix" ||
		o.Addr != "/path/r.sock" || o.Password != "p" || o.DB != 2 {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestParseClusterURL(t *testing.T) {
	o, err := ParseClusterURL("rediss://user:pw@a:1?addr=b:2&addr=c:3&read_only=true&" +
		"max_redirects=5&dial_timeout=3&max_concurrent_dials=2&client_name=me")
	if err != nil || strings.Join(o.Addrs, " ") != "a:1 b:2 c:3" || o.Username != "user" ||
		o.Password != "pw" || !o.ReadOnly || o.MaxRedirects != 5 ||
		o.DialTimeout != 3*time.Second ||
		o.MaxConcurrentDials != 2 || o.ClientName != "me" || o.TLSConfig.ServerName != "a" {
		t.Errorf("%+v, %v", o, err)
	}
	for url, want := range map[string]string{
		"unix:///s":              "invalid URL scheme: unix",
		"redis://a/3":            "a cluster has no database but 0",
		"redis://a?db=1":         "unexpected option: db",
		"redis://a?read_only=x":  "invalid read_only boolean",
		"redis://u:secret@a:b/0": "invalid port",
	} {
		if _, err := ParseClusterURL(url); err == nil || !strings.Contains(err.Error(), want) ||
			strings.Contains(err.Error(), "secret") {
			t.Errorf("%s gave %v", url, err)
		}
	}
}

func TestErrors(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	failure := &core.Failure{Status: core.StatusTimeout, Class: core.ClassTimeout,
		Executed: core.ExecutedUnknown, Message: "no reply", Node: "h:1", Attempts: 2}
	err := callError(ctx, failure, false)
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%#v", err)
	}
	if err = callError(ctx, failure, true); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the deadline of the context was met, and the error is %v", err)
	}
	cancel()
	failure.Status = core.StatusCancelled
	err = callError(ctx, failure, false)
	if !errors.Is(err, context.Canceled) || err.(*ClientError).Executed() != ExecutedUnknown {
		t.Errorf("%#v", err)
	}
	failure = &core.Failure{Status: core.StatusClosed, Executed: core.ExecutedNo}
	if err = callError(ctx, failure, false); err != ErrClosed {
		t.Errorf("%v is not ErrClosed", err)
	}
	failure.Executed = core.ExecutedUnknown
	if err = callError(ctx, failure, false); err == ErrClosed || !errors.Is(err, ErrClosed) {
		t.Errorf("%v hides that the command may have been executed", err)
	}
	failure = &core.Failure{Status: core.StatusAuth, Executed: core.ExecutedNo, Prefix: "WRONGPASS",
		Message: "the server said: WRONGPASS invalid username-password pair"}
	var reply Error
	if err = callError(context.Background(), failure, false); !errors.As(err,
		&reply) || !IsAuthError(err) {
		t.Errorf("%#v", err)
	}
}
