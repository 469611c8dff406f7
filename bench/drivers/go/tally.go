// What one goroutine does and how its replies are checked: commands, pipelines, lists and hashes.
package main

import (
	"fmt"
	"sync/atomic"
	"time"
)

const (
	contentEvery = 1000
	// Of commands in flight one in so many is timed; readings of the clock cost as well.
	timedEvery = 16
	hashes     = 10
)

// What one goroutine has done since the warm-up.
type tally struct {
	j           *job
	turn        int
	counting    bool
	ops, errors int
	complaint   string
	troubles    troubles
	called      time.Time // in a failover: when the call under way was begun
	ended       atomic.Bool
}

func (t *tally) running() bool {
	phase := t.j.phase.Load()
	// Also in one that never had its turn while it was measured: its warm-up does not count.
	if phase != warmingUp && !t.counting {
		t.counting = true
		t.ops = 0
	}
	return phase != over
}

func (t *tally) note(took time.Duration) {
	if t.counting {
		t.j.latencies.note(took)
	}
}

func (t *tally) nextKey() int {
	t.turn++
	return t.turn % t.j.keys
}

func (t *tally) writes() bool {
	return t.j.op == "set" || t.j.op == "mixed" && t.turn%5 == 0
}

func (t *tally) check(key int, write bool, reply string) {
	t.ops++
	switch {
	case write && reply != "OK":
		t.fail("SET did not answer OK")
	case !write && len(reply) != t.j.size:
		t.fail("a value has the wrong length")
	case !write && t.ops%contentEvery == 1 && reply != t.j.value(key):
		t.fail("a value has the wrong content")
	}
}

func (t *tally) fail(text string) {
	t.errors++
	if t.complaint == "" {
		t.complaint = text
	}
}

// workers is how many goroutines do the job.
func (j *job) workers() int {
	switch {
	case j.mode == "blocking" || j.mode == "lease" || j.mode == "failover":
		return j.concurrency
	case j.mode == "async" && !j.yes("window"):
		return j.concurrency
	}
	return 1
}

func (t *tally) work(c *client) {
	defer t.ended.Store(true)
	switch t.j.mode {
	case "batch", "mget":
		t.together(c)
	case "hash":
		t.hashes(c)
	case "connect":
		t.connections()
	case "subscribe":
		t.messages(c)
	case "failover":
		t.throughFailover(c)
	case "lease":
		t.oneAtATime(c.lease(), 1)
	case "async":
		if t.j.yes("window") {
			t.window(c)
		} else {
			t.oneAtATime(c, min(t.j.concurrency, timedEvery))
		}
	default:
		t.oneAtATime(c, min(t.j.concurrency, timedEvery))
	}
}

func (t *tally) call(c *client, key int, write bool) (string, error) {
	if write {
		return c.set(t.j.names[key], t.j.value(key))
	}
	return c.get(t.j.names[key])
}

func (t *tally) oneAtATime(c *client, every int) {
	for turn := 0; t.running(); turn++ {
		key := t.nextKey()
		write := t.writes()
		timed := turn%every == 0
		var began time.Time
		if timed {
			began = time.Now()
		}
		reply, err := t.call(c, key, write)
		if timed {
			t.note(time.Since(began))
		}
		if err != nil {
			t.fail(err.Error())
		}
		t.check(key, write, reply)
	}
}

// window keeps so many commands in flight from one goroutine: each is begun when the oldest ended.
func (t *tally) window(c *client) {
	type flight struct {
		key   int
		write bool
		began time.Time
		wait  func() (string, error)
	}
	flights := make([]flight, t.j.concurrency)
	for at := 0; ; at = (at + 1) % len(flights) {
		f := &flights[at]
		if f.wait != nil {
			reply, err := f.wait()
			if f.key%timedEvery == 0 {
				t.note(time.Since(f.began))
			}
			if err != nil {
				t.fail(err.Error())
			}
			t.check(f.key, f.write, reply)
			f.wait = nil
		}
		if t.running() {
			f.key = t.nextKey()
			f.write = t.writes()
			if f.key%timedEvery == 0 {
				f.began = time.Now()
			}
			f.wait = c.begin(t.j.names[f.key], t.j.value(f.key), f.write)
		} else if at == 0 {
			return
		}
	}
}

func (t *tally) together(c *client) {
	keys, names := make([]int, t.j.batch), make([]string, t.j.batch)
	for t.running() {
		for i := range keys {
			keys[i] = t.nextKey()
			names[i] = t.j.names[keys[i]]
		}
		write := t.writes() && t.j.mode == "batch"
		var values []string
		for i := 0; write && i < len(keys); i++ {
			values = append(values, t.j.value(keys[i]))
		}
		began := time.Now()
		replies, err := t.send(c, names, values)
		t.note(time.Since(began))
		if err != nil || len(replies) != len(keys) {
			t.fail(fmt.Sprintf("a batch failed: %v", err))
		}
		for i, reply := range replies {
			t.check(keys[i], write, reply)
		}
	}
}

func (t *tally) send(c *client, names, values []string) ([]string, error) {
	if t.j.mode == "mget" {
		return c.mget(names)
	}
	return c.pipeline(names, values)
}

func (t *tally) hashes(c *client) {
	names, fields := make([]string, hashes), make([]string, t.j.batch)
	for i := range names {
		names[i] = fmt.Sprintf("hash:%012d", i)
	}
	for i := range fields {
		fields[i] = fmt.Sprintf("field:%03d", i)
	}
	for turn := 0; t.running(); turn++ {
		at := turn % hashes
		began := time.Now()
		reply, err := c.hash(names[at])
		t.note(time.Since(began))
		if err != nil || len(reply) != len(fields) {
			t.fail(fmt.Sprintf("a hash failed: %d fields, %v", len(reply), err))
			continue
		}
		for i, field := range fields {
			t.check(at+i, false, reply[field])
		}
	}
}
