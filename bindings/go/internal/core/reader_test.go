package core

import (
	"context"
	"encoding/json"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"
)

// connected is a client of the plain test server.
func connected(t *testing.T, more ...Option) *Client {
	t.Helper()
	data, err := os.ReadFile(os.Getenv("TENDON_SERVERS"))
	if err != nil {
		t.Fatalf("these tests need real servers: eval \"$(./dev env)\" first (%v)", err)
	}
	var servers struct{ Standalone struct{ Port int } }
	if err := json.Unmarshal(data, &servers); err != nil {
		t.Fatal(err)
	}
	c, failure := Open(append(more, Option{"host", "127.0.0.1"},
		Option{"port", strconv.Itoa(servers.Standalone.Port)}))
	if failure != nil {
		t.Fatalf("%+v", failure)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func ping(t *testing.T, c *Client, lease *Lease) {
	t.Helper()
	var b Batch
	b.Begin(0)
	b.AddText("ping")
	b.Lease, b.Timeout = lease, 20_000
	sink := &failures{}
	if failure := c.Do(context.Background(), &b, sink); failure != nil {
		t.Errorf("%+v", failure)
	}
	if len(sink.all) != 1 || sink.all[0] != nil {
		t.Errorf("got %+v", sink.all)
	}
}

// More connections have something to say than the core looks at in one turn, and all of them said
// it before the reader woke: no further change will ever wake it for those that are left over.
func TestReaderReadsWhatATurnLeavesOver(t *testing.T) {
	const connections = 150
	c := connected(t, Option{"pool_max", "200"}, Option{"connect_timeout_ms", "60000"})
	leases := make([]*Lease, connections)
	for i := range leases {
		var failure *Failure
		if leases[i], failure = c.Lease(context.Background(), "", "", 20_000); failure != nil {
			t.Fatalf("%+v", failure)
		}
	}
	c.reader.taking.Lock()
	var sent, answered sync.WaitGroup
	for _, lease := range leases {
		sent.Add(1)
		answered.Add(1)
		go func() {
			defer answered.Done()
			sent.Done()
			ping(t, c, lease)
		}()
	}
	sent.Wait()
	time.Sleep(300 * time.Millisecond) // until the answers lie in the sockets
	start := time.Now()
	c.reader.taking.Unlock()
	answered.Wait()
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("it took %v: only a deadline woke the reader", took)
	}
	for _, lease := range leases {
		lease.Close()
	}
}
