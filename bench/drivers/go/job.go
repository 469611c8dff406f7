// What every Go driver shares: the job, the clock, the checks and the answer; bench/README.md
// describes the protocol.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	contentEvery = 1000
	// Of commands in flight one in so many is timed; readings of the clock cost as well.
	timedEvery = 16
)

// The phases of a run.
const (
	warmingUp = iota
	measuring
	over
)

// A client as the drivers need it; pipeline and mget give texts.
type client struct {
	version  string
	get      func(key string) (string, error)
	set      func(key, value string) (string, error)
	mget     func(keys []string) ([]string, error)
	pipeline func(keys, values []string) ([]string, error) // values nil: GET
}

type job struct {
	words       map[string]string
	mode, op    string
	size, keys  int
	concurrency int
	batch       int
	values      string
	names       []string
	phase       atomic.Int32
}

func readJob() *job {
	j := &job{words: map[string]string{}}
	for _, word := range os.Args[1:] {
		name, value, _ := strings.Cut(word, "=")
		j.words[name] = value
	}
	j.mode, j.op = j.words["mode"], j.words["op"]
	j.size, j.keys = j.number("value_bytes"), j.number("keys")
	j.concurrency, j.batch = j.number("concurrency"), j.number("batch")
	values, err := os.ReadFile(j.words["values"])
	if err != nil || len(values) < j.size+j.keys {
		die("values", err)
	}
	j.values = string(values)
	for key := range j.keys {
		j.names = append(j.names, fmt.Sprintf("key:%012d", key))
	}
	return j
}

func (j *job) number(name string) int {
	value, err := strconv.Atoi(j.words[name])
	if err != nil {
		die(name, err)
	}
	return value
}

func (j *job) duration(name string) time.Duration {
	seconds, err := strconv.ParseFloat(j.words[name], 64)
	if err != nil {
		die(name, err)
	}
	return time.Duration(seconds * float64(time.Second))
}

func (j *job) value(key int) string { return j.values[key : key+j.size] }

func die(what string, err error) {
	fmt.Fprintf(os.Stderr, "error: %s: %v\n", what, err)
	os.Exit(3)
}

// What one goroutine has done since the warm-up.
type tally struct {
	j           *job
	turn        int
	counting    bool
	ops, errors int
	complaint   string
	latencies   []time.Duration
}

func (t *tally) running() bool {
	phase := t.j.phase.Load()
	if phase == measuring && !t.counting {
		t.counting = true
		t.ops = 0
		t.latencies = t.latencies[:0]
	}
	return phase != over
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

func (t *tally) oneAtATime(c *client, every int) {
	for turn := 0; t.running(); turn++ {
		key := t.nextKey()
		write := t.writes()
		timed := turn%every == 0
		var began time.Time
		if timed {
			began = time.Now()
		}
		var reply string
		var err error
		if write {
			reply, err = c.set(t.j.names[key], t.j.value(key))
		} else {
			reply, err = c.get(t.j.names[key])
		}
		if timed {
			t.latencies = append(t.latencies, time.Since(began))
		}
		if err != nil {
			t.fail(err.Error())
		}
		t.check(key, write, reply)
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
		t.latencies = append(t.latencies, time.Since(began))
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

func (t *tally) work(c *client) {
	switch {
	case t.j.mode == "batch" || t.j.mode == "mget":
		t.together(c)
	case t.j.concurrency > 1:
		t.oneAtATime(c, timedEvery)
	default:
		t.oneAtATime(c, 1)
	}
}

func cpuMicros() int64 {
	var use syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &use)
	return (use.Utime.Sec+use.Stime.Sec)*1e6 + use.Utime.Usec + use.Stime.Usec
}

func main() {
	j := readJob()
	c := open(j)
	tallies := make([]*tally, j.concurrency)
	var group sync.WaitGroup
	for i := range tallies {
		tallies[i] = &tally{j: j, turn: i * 37}
		group.Add(1)
		go func() {
			defer group.Done()
			tallies[i].work(c)
		}()
	}
	time.Sleep(j.duration("warmup"))
	fmt.Println("begin")
	began, cpu := time.Now(), cpuMicros()
	j.phase.Store(measuring)
	time.Sleep(j.duration("seconds"))
	j.phase.Store(over)
	took, used := time.Since(began), cpuMicros()-cpu
	fmt.Println("end")
	group.Wait()
	answer(j, c, tallies, took, used)
}

func answer(j *job, c *client, tallies []*tally, took time.Duration, cpu int64) {
	var use syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &use)
	ops, errors, complaint := 0, 0, ""
	var timed []time.Duration
	for _, t := range tallies {
		ops += t.ops
		errors += t.errors
		timed = append(timed, t.latencies...)
		if complaint == "" {
			complaint = t.complaint
		}
	}
	sort.Slice(timed, func(a, b int) bool { return timed[a] < timed[b] })
	at := func(share float64) any {
		if len(timed) == 0 {
			return nil
		}
		return float64(timed[min(int(float64(len(timed))*share), len(timed)-1)]) / 1e3
	}
	text, _ := json.Marshal(map[string]any{
		"client": j.words["client"], "version": c.version, "mode": j.mode, "ops": ops,
		"seconds": took.Seconds(), "errors": errors, "complaint": complaint, "p50_us": at(0.5),
		"p99_us": at(0.99), "p999_us": at(0.999), "cpu_us": cpu, "rss_kib": use.Maxrss,
		"extra": map[string]any{},
	})
	fmt.Println(string(text))
}
