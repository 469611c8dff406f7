// What every Go driver shares: the job, the clock and the answer; bench/README.md describes the
// protocol.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A call that has not ended so long after the clock counts as failed.
const endTimeout = 5 * time.Second

// The phases of a run.
const (
	warmingUp = iota
	measuring
	over
)

var ctx = context.Background()

// A client as the drivers need it; what it cannot do is nil. Every driver has a function open.
type client struct {
	version  string
	get      func(key string) (string, error)
	set      func(key, value string) (string, error)
	mget     func(keys []string) ([]string, error)
	hash     func(key string) (map[string]string, error)
	pipeline func(keys, values []string) ([]string, error) // values nil: GET
	// Begins a command; what it gives waits for the reply.
	begin     func(key, value string, write bool) (wait func() (string, error))
	lease     func() *client // on a connection of its own
	ping      func() (string, error)
	subscribe func(channel string, each func(text string)) error // returns when it is confirmed
	publish   func(channel string, messages []string) error
	unordered bool // messages may come in another order than they were published
	close     func() error
}

type job struct {
	words       map[string]string
	mode, op    string
	size, keys  int
	concurrency int
	batch       int
	values      string
	names       []string
	secure      *tls.Config
	phase       atomic.Int32
	began       time.Time
	latencies   latencies
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
	if j.words["ca"] != "" {
		j.secure = j.trust()
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

func (j *job) yes(word string) bool { return j.words[word] == "yes" }

func (j *job) address() (network, address string) {
	if j.words["socket"] != "" {
		return "unix", j.words["socket"]
	}
	return "tcp", j.words["host"] + ":" + j.words["port"]
}

// trust is what the connections of a run share; with resume=yes the sessions as well.
func (j *job) trust() *tls.Config {
	text, err := os.ReadFile(j.words["ca"])
	pool := x509.NewCertPool()
	if err != nil || !pool.AppendCertsFromPEM(text) {
		die("ca", err)
	}
	config := &tls.Config{RootCAs: pool, ServerName: "localhost"}
	if j.yes("resume") {
		config.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	}
	return config
}

func die(what string, err error) {
	fmt.Fprintf(os.Stderr, "error: %s: %v\n", what, err)
	os.Exit(3)
}

func version(module string) string {
	info, _ := debug.ReadBuildInfo()
	for _, dependency := range info.Deps {
		if dependency.Path == module {
			return dependency.Version
		}
	}
	return "?"
}

// texts are the strings in the replies of MGET and the like.
func texts(replies []any, err error) ([]string, error) {
	out := make([]string, len(replies))
	for i, reply := range replies {
		out[i], _ = reply.(string)
	}
	return out, err
}

// What has been used of processor and memory.
type usage struct {
	cpuMicros, peakKib     int64
	allocations, allocated uint64
}

func used() usage {
	var use syscall.Rusage
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &use)
	cpu := (use.Utime.Sec+use.Stime.Sec)*1e6 + use.Utime.Usec + use.Stime.Usec
	return usage{cpu, peakKib(), memory.Mallocs, memory.TotalAlloc}
}

// peakKib is not ru_maxrss, which counts what the process was before it became this program.
func peakKib() (kib int64) {
	text, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	_, _ = fmt.Sscan(rest, &kib)
	return kib
}

func main() {
	j := readJob()
	c := open(j)
	tallies := make([]*tally, j.workers())
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
	before := used()
	fmt.Println("begin")
	j.began = time.Now()
	j.phase.Store(measuring)
	time.Sleep(j.duration("seconds"))
	j.phase.Store(over)
	took, after := time.Since(j.began), used()
	fmt.Println("end")
	ended := make(chan bool)
	go func() {
		group.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(endTimeout):
	}
	answer(j, c, tallies, took, before, after)
}

func answer(j *job, c *client, tallies []*tally, took time.Duration, before, after usage) {
	ops, errors, complaint := 0, 0, ""
	extra := map[string]any{
		"allocations":     after.allocations - before.allocations,
		"allocated_bytes": after.allocated - before.allocated,
	}
	var all troubles
	for _, t := range tallies {
		ops += t.ops
		errors += t.errors
		t.unanswered()
		all.add(&t.troubles)
		if complaint == "" {
			complaint = t.complaint
		}
	}
	if j.mode == "failover" {
		all.describe(extra)
	}
	text, _ := json.Marshal(map[string]any{
		"client": j.words["client"], "version": c.version, "mode": j.mode, "ops": ops,
		"seconds": took.Seconds(), "errors": errors, "complaint": complaint,
		"p50_us": j.latencies.micros(0.5), "p99_us": j.latencies.micros(0.99),
		"p999_us": j.latencies.micros(0.999), "cpu_us": after.cpuMicros - before.cpuMicros,
		"rss_kib": after.peakKib, "extra": extra,
	})
	fmt.Println(string(text))
}
