package core

import (
	"context"
	"strings"
	"testing"
	"time"
)

func TestOpenRefusesBadOptions(t *testing.T) {
	_, failure := Open([]Option{{"no_such_option", "1"}})
	if failure == nil || failure.Status != StatusConfig || !strings.Contains(failure.Message,
		"no_such_option") {
		t.Fatalf("got %+v", failure)
	}
	_, failure = Open([]Option{{"pool_max", "0"}})
	if failure == nil || failure.Status != StatusConfig || failure.Executed != ExecutedNo {
		t.Fatalf("got %+v", failure)
	}
}

func TestCloseTwiceAndUseAfter(t *testing.T) {
	c, failure := Open(nil)
	if failure != nil {
		t.Fatal(failure)
	}
	if !c.Close() || c.Close() {
		t.Fatal("only the first Close reports true")
	}
	var b Batch
	b.Begin(0)
	b.AddText("ping")
	if failure := c.Do(context.Background(), &b,
		&recorder{}); failure == nil || failure.Status != StatusClosed {
		t.Fatalf("Do gave %+v", failure)
	}
	if _, failure := c.Lease(context.Background(), "", "",
		0); failure == nil || failure.Status != StatusClosed {
		t.Fatalf("Lease gave %+v", failure)
	}
	if _, failure := c.Nodes(); failure == nil || failure.Status != StatusClosed {
		t.Fatalf("Nodes gave %+v", failure)
	}
	if (c.Stats() != Stats{}) {
		t.Fatal("a closed client has statistics")
	}
}

// The reader must sleep in the poller while nothing happens, and wake for what does.
func TestReaderSleepsAndWakes(t *testing.T) {
	c, failure := Open([]Option{{"host", "127.0.0.1"}, {"port", "1"}, {"max_retries", "0"}})
	if failure != nil {
		t.Fatal(failure)
	}
	defer c.Close()
	for i := 0; i < 3; i++ {
		time.Sleep(20 * time.Millisecond)
		sink := &failures{}
		var b Batch
		b.Begin(0)
		b.AddText("ping")
		if failure := c.Do(context.Background(), &b, sink); failure != nil {
			t.Fatalf("%+v", failure)
		}
		if len(sink.all) != 1 || sink.all[0].Status != StatusConnect {
			t.Fatalf("got %+v", sink.all)
		}
	}
}

type failures struct{ all []*Failure }

func (f *failures) Deliver(_ int, _ Tape, failure *Failure) { f.all = append(f.all, failure) }

func TestKeySlot(t *testing.T) {
	for key, slot := range map[string]uint32{"": 0, "foo": 12182, "{foo}bar": 12182,
		"123456789": 12739} {
		if got := KeySlot(key); got != slot {
			t.Errorf("slot of %q is %d, want %d", key, got, slot)
		}
	}
}
