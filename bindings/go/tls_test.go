package redis_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	redis "tendon.dev/redis"
)

func roots(t testing.TB, file string) *x509.CertPool {
	t.Helper()
	pem, err := os.ReadFile(file)
	must(t, err)
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		t.Fatalf("%s holds no certificate", file)
	}
	return pool
}

// roundTrip shows that a client works: it writes, reads, and reads something large.
func roundTrip(t *testing.T, c redis.UniversalClient) {
	t.Helper()
	ctx := bg(t)
	key := "go:" + t.Name()
	must(t, c.Set(ctx, key, "v", time.Minute).Err())
	value, err := c.Get(ctx, key).Result()
	same(t, value, err, "v")
	big := strings.Repeat("x", 3_000_000)
	must(t, c.Set(ctx, key, big, time.Minute).Err())
	value, err = c.Get(ctx, key).Result()
	same(t, value == big, err, true)
	must(t, c.Del(ctx, key).Err())
}

func TestTLSByTheCore(t *testing.T) {
	s := servers(t)
	t.Run("InsecureSkipVerify", func(t *testing.T) {
		roundTrip(t, open(t, &redis.Options{Addr: s.TLS.addr(),
			TLSConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13}}))
	})
	t.Run("CoreOptions", func(t *testing.T) {
		roundTrip(t, open(t, &redis.Options{Addr: s.TLS.addr(), TLSConfig: &tls.Config{},
			CoreOptions: map[string]string{"tls_ca_file": s.TLS.CAFile}}))
	})
	t.Run("ServerName", func(t *testing.T) {
		ca := map[string]string{"tls_ca_file": s.WrongCert.CAFile}
		roundTrip(t, open(t, &redis.Options{Addr: s.WrongCert.addr(), CoreOptions: ca,
			TLSConfig: &tls.Config{ServerName: s.WrongCert.CertificateName}}))
		c := open(t, &redis.Options{Addr: s.WrongCert.addr(), CoreOptions: ca,
			TLSConfig: &tls.Config{}})
		refused(t, c, "TLS_HOSTNAME", s.WrongCert.CertificateName)
	})
	t.Run("untrusted", func(t *testing.T) {
		c := open(t, &redis.Options{Addr: s.TLS.addr(), TLSConfig: &tls.Config{}})
		refused(t, c, "TLS_CERTIFICATE", "certificate")
	})
	t.Run("client certificate", func(t *testing.T) {
		roundTrip(t, open(t, &redis.Options{Addr: s.MTLS.addr(), TLSConfig: &tls.Config{},
			CoreOptions: map[string]string{"tls_ca_file": s.MTLS.CAFile,
				"tls_cert_file": s.MTLS.CertFile, "tls_key_file": s.MTLS.KeyFile}}))
	})
	t.Run("URL", func(t *testing.T) {
		opt, err := redis.ParseURL("rediss://" + s.TLS.addr() + "?skip_verify=true")
		must(t, err)
		roundTrip(t, open(t, opt))
	})
}

// refused checks that a command fails in time with a status and words that name the
// cause.
func refused(t testing.TB, c redis.UniversalClient, status string,
	words ...string) *redis.ClientError {
	t.Helper()
	var err error
	within(t, soon, func() { err = c.Ping(bg(t)).Err() })
	var failure *redis.ClientError
	if !errors.As(err, &failure) {
		t.Fatalf("got %T %v, want a ClientError %s", err, err, status)
	}
	t.Logf("%s: %v", failure.Status, err)
	if failure.Status != status {
		t.Errorf("status %s, want %s: %v", failure.Status, status, err)
	}
	if failure.Executed() != redis.ExecutedNo {
		t.Errorf("executed %v, want no", failure.Executed())
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not contain %q", err, word)
		}
	}
	return failure
}

func TestTLSByGo(t *testing.T) {
	s := servers(t)
	t.Run("RootCAs", func(t *testing.T) {
		roundTrip(t, open(t, &redis.Options{Addr: s.TLS.addr(),
			TLSConfig: &tls.Config{RootCAs: roots(t, s.TLS.CAFile)}}))
	})
	t.Run("Certificates", func(t *testing.T) {
		pair, err := tls.LoadX509KeyPair(s.MTLS.CertFile, s.MTLS.KeyFile)
		must(t, err)
		roundTrip(t, open(t, &redis.Options{Addr: s.MTLS.addr(), TLSConfig: &tls.Config{
			RootCAs: roots(t, s.MTLS.CAFile), Certificates: []tls.Certificate{pair}}}))
	})
	t.Run("VerifyPeerCertificate", func(t *testing.T) {
		refusal := errors.New("not on my watch")
		c := open(t, &redis.Options{Addr: s.TLS.addr(), MaxRetries: -1, TLSConfig: &tls.Config{
			RootCAs: roots(t, s.TLS.CAFile),
			VerifyPeerCertificate: func([][]byte, [][]*x509.Certificate) error {
				return refusal
			}}})
		if err := c.Ping(bg(t)).Err(); !errors.Is(err, refusal) {
			t.Fatalf("the callback's error became %v", err)
		}
	})
	t.Run("untrusted", func(t *testing.T) {
		c := open(t, &redis.Options{Addr: s.TLS.addr(), MaxRetries: -1,
			TLSConfig: &tls.Config{RootCAs: roots(t, s.OtherCAFile)}})
		err := c.Ping(bg(t)).Err()
		var unknown x509.UnknownAuthorityError
		if !errors.As(err, &unknown) {
			t.Fatalf("got %v", err)
		}
	})
	t.Run("wrong host", func(t *testing.T) {
		c := open(t, &redis.Options{Addr: s.WrongCert.addr(), MaxRetries: -1,
			TLSConfig: &tls.Config{RootCAs: roots(t, s.WrongCert.CAFile)}})
		err := c.Ping(bg(t)).Err()
		var host x509.HostnameError
		if !errors.As(err, &host) {
			t.Fatalf("got %v", err)
		}
	})
	t.Run("plain port", func(t *testing.T) {
		c := open(t, &redis.Options{Addr: s.Standalone.addr(), MaxRetries: -1,
			DialTimeout: 2 * time.Second,
			TLSConfig:   &tls.Config{RootCAs: roots(t, s.TLS.CAFile)}})
		err := c.Ping(bg(t)).Err()
		if err == nil || !strings.Contains(err.Error(), "TLS") {
			t.Fatalf("got %v", err)
		}
	})
}

func TestDialer(t *testing.T) {
	s := servers(t)
	var dials atomic.Int32
	c := open(t, &redis.Options{Addr: s.Standalone.addr(), PoolSize: 4,
		Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
			dials.Add(1)
			return new(net.Dialer).DialContext(ctx, network, addr)
		}})
	roundTrip(t, c)
	if n := dials.Load(); n < 1 || n > 4 {
		t.Errorf("dialled %d times", n)
	}
	refusal := errors.New("no tunnel today")
	c = open(t, &redis.Options{Addr: s.Standalone.addr(), MaxRetries: -1,
		Dialer: func(context.Context, string, string) (net.Conn, error) { return nil, refusal }})
	err := c.Ping(bg(t)).Err()
	if !errors.Is(err, refusal) || !strings.Contains(err.Error(), refusal.Error()) {
		t.Fatalf("the dialer's error became %v", err)
	}
	opt := &redis.Options{Addr: s.Standalone.addr(), TLSConfig: &tls.Config{},
		Dialer: func(context.Context, string, string) (net.Conn, error) { return nil, refusal }}
	refused(t, open(t, opt), "UNSUPPORTED", "TLSConfig", "Dialer")
}

func TestStreamReconnects(t *testing.T) {
	own := startOwn(t, freePort(t))
	c := open(t, &redis.Options{Addr: own.addr(), Dialer: new(netDialer).dial})
	must(t, c.Ping(bg(t)).Err())
	own.kill()
	if err := c.Ping(bg(t)).Err(); err == nil {
		t.Fatal("a killed server answered")
	}
	startOwn(t, own.port)
	eventually(t, "no reconnect", func() bool { return c.Ping(bg(t)).Err() == nil })
}

type netDialer struct{ net.Dialer }

func (d *netDialer) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	return d.DialContext(ctx, network, addr)
}
