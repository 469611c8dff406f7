package redis_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	redis "tendon.dev/redis"
)

// surfaceCase calls one method; surface_cases_test.go has one for each, and the head of
// spec/surface/go.txt says what the marks mean.
type surfaceCase[C any] struct {
	name    string
	value   string // the types of Val
	marks   string
	failure string // the beginning of the error that the call must give
	call    func(ctx context.Context, c C) redis.Cmder
}

func (c surfaceCase[C]) is(mark string) bool {
	return slices.Contains(strings.Fields(c.marks), mark)
}

const (
	echo     = "return {KEYS[1],ARGV[1]}"
	echoHash = "bfbf458525d6a0b19200bfd6db3af481156b367b"
	// The dump of the string "hello" by Redis 7.0, and of no function.
	dumped    = "\x00\x05hello\n\x00cr\xdfve4 \n"
	emptyDump = "\n\x00]\x9b\\@\x0f\x7f\xa2\xda"
)

var later = time.Unix(4102444800, 0)

// library is the code of a library with a function that answers with its first key and argument.
func library(name string) string {
	return "#!lua name=" + name + "\nredis.register_function{function_name='" + name +
		"_echo',callback=function(keys, args) return {keys[1], args[1]} end,flags={'no-writes'}}"
}

// fixture is spec/commands/fixture.json, with keys of this language's own.
type fixture struct {
	Keys []string        `json:"keys"`
	Make [][]interface{} `json:"make"`
}

func readFixture(t testing.TB) *fixture {
	t.Helper()
	name := filepath.Join(os.Getenv("TENDON_ROOT"), "spec/commands/fixture.json")
	data, err := os.ReadFile(name)
	must(t, err)
	f := &fixture{}
	must(t, json.Unmarshal([]byte(strings.ReplaceAll(string(data), "{t}", "{go}")), f))
	return f
}

// prepare deletes the keys of the fixture and makes them anew.
func (f *fixture) prepare(t testing.TB, c redis.Cmdable) {
	t.Helper()
	ctx := bg(t)
	_, err := c.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.Del(ctx, f.Keys...)
		for _, args := range f.Make {
			p.Do(ctx, args...)
		}
		return nil
	})
	must(t, err)
}

// outcome is what Val answers, as text, after it was checked against what the case says.
func outcome[C any](t *testing.T, test surfaceCase[C], cmd redis.Cmder) string {
	t.Helper()
	switch err := cmd.Err(); {
	case test.failure != "":
		if !redis.HasErrorPrefix(err, test.failure) {
			t.Fatalf("%v\ngave error %v, not %s", cmd, err, test.failure)
		}
		return ""
	case test.is("nil"):
		if err != redis.Nil {
			t.Fatalf("%v\ngave error %v, not redis.Nil", cmd, err)
		}
		return ""
	case err != nil:
		t.Fatalf("%v\nfailed: %v", cmd, err)
	}
	var texts, types []string
	zero := true
	for _, value := range reflect.ValueOf(cmd).MethodByName("Val").Call(nil) {
		types = append(types, typeNames.Replace(value.Type().String()))
		zero = zero && isZero(value)
		texts = append(texts, textOf(value.Interface(), test.is("unordered")))
	}
	if got := strings.Join(types, ", "); test.value != "" && got != test.value {
		t.Errorf("Val has the types %s, the table says %s", got, test.value)
	}
	if zero && !test.is("zero") {
		t.Errorf("%v\nanswered with nothing: %v", cmd, texts)
	}
	return strings.Join(texts, " ")
}

// typeNames writes types as the table does.
var typeNames = strings.NewReplacer("redis.", "", "interface {}", "interface{}", "struct {}",
	"struct{}")

func isZero(value reflect.Value) bool {
	switch value.Kind() {
	case reflect.Slice, reflect.Map:
		return value.Len() == 0
	case reflect.Pointer, reflect.Interface:
		return value.IsNil() || isZero(value.Elem())
	}
	return value.IsZero()
}

func textOf(value interface{}, unordered bool) string {
	if list, ok := value.([]string); ok && unordered {
		list = slices.Clone(list)
		slices.Sort(list)
		value = list
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprintf("%#v", value)
	}
	return string(text)
}

// clients are the four ways to reach a server that every method is tried on.
func surfaceClients(t *testing.T) map[string]redis.UniversalClient {
	all := map[string]redis.UniversalClient{}
	for _, protocol := range []int{2, 3} {
		all[fmt.Sprintf("standalone, RESP%d", protocol)] = open(t, &redis.Options{
			Addr: servers(t).Standalone.addr(), Protocol: protocol})
		all[fmt.Sprintf("cluster, RESP%d", protocol)] = openCluster(t, &redis.ClusterOptions{
			Addrs: servers(t).Cluster.addrs(), Protocol: protocol})
	}
	return all
}

// TestSurface calls every method against real servers: RESP2 and RESP3, standalone and cluster,
// alone and in a pipeline. All must answer the same.
func TestSurface(t *testing.T) {
	f := readFixture(t)
	clients := surfaceClients(t)
	for _, c := range clients {
		must(t, c.ScriptLoad(bg(t), echo).Err())
	}
	for _, test := range commandCases {
		if test.is("server") || test.is("unknown") || test.is("conn") {
			continue
		}
		t.Run(test.name, func(t *testing.T) {
			answers := map[string]string{}
			for name, c := range clients {
				_, isCluster := c.(*redis.ClusterClient)
				if test.is("standalone") && isCluster || test.is("cluster") && !isCluster {
					continue
				}
				f.prepare(t, c)
				answers[name] = outcome(t, test, test.call(bg(t), c))
				f.prepare(t, c)
				piped, err := c.Pipelined(bg(t), func(p redis.Pipeliner) error {
					test.call(bg(t), p)
					return nil
				})
				if len(piped) != 1 {
					t.Fatalf("a pipeline of one has %d outcomes, and error %v", len(piped), err)
				}
				answers[name+", in a pipeline"] = outcome(t, test, piped[0])
			}
			if !test.is("varies") {
				allTheSame(t, answers)
			}
		})
	}
	for _, c := range clients {
		c.Del(bg(t), f.Keys...)
	}
}

func allTheSame(t *testing.T, answers map[string]string) {
	t.Helper()
	first := ""
	for name, answer := range answers {
		if first == "" {
			first = name
		}
		if answer != answers[first] {
			t.Errorf("%s: %s\n%s: %s", first, answers[first], name, answer)
		}
	}
}

// TestSurfaceOfConnections calls the methods that leave something behind on their connection.
func TestSurfaceOfConnections(t *testing.T) {
	f := readFixture(t)
	for _, protocol := range []int{2, 3} {
		c := open(t, &redis.Options{Addr: servers(t).Standalone.addr(), Protocol: protocol})
		f.prepare(t, c)
		for _, test := range statefulCases {
			if test.is("server") {
				continue
			}
			t.Run(fmt.Sprintf("%s, RESP%d", test.name, protocol), func(t *testing.T) {
				conn := c.Conn()
				defer conn.Close()
				outcome(t, test, test.call(bg(t), conn))
				piped, _ := c.Pipelined(bg(t), func(p redis.Pipeliner) error {
					test.call(bg(t), p)
					return nil
				})
				outcome(t, test, piped[0])
			})
		}
		for _, test := range commandCases {
			if !test.is("conn") || protocol == 2 {
				continue
			}
			t.Run(test.name, func(t *testing.T) {
				conn := c.Conn()
				defer conn.Close()
				outcome(t, test, test.call(bg(t), conn))
			})
		}
		for _, test := range waitingCases {
			if !test.is("unknown") {
				t.Run(fmt.Sprintf("%s, RESP%d", test.name, protocol), func(t *testing.T) {
					outcome(t, test, test.call(bg(t), c))
				})
			}
		}
		c.Del(bg(t), f.Keys...)
	}
}

// ownSurface is a server that only these tests see, made anew when one of them has spoilt it.
type ownSurface struct {
	protocol int
	cluster  bool
	client   *redis.Client
}

func (s *ownSurface) ready(t *testing.T, f *fixture) *redis.Client {
	t.Helper()
	if s.client != nil {
		return s.client
	}
	extra := []string{"--logfile", "/dev/null", "--save", "3600 1"}
	if s.cluster {
		extra = append(extra, "--cluster-enabled", "yes", "--cluster-require-full-coverage", "no")
	}
	own := startOwn(t, freePort(t), extra...)
	s.client = redis.NewClient(&redis.Options{Addr: own.addr(), Protocol: s.protocol})
	t.Cleanup(func() { _ = s.client.Close() })
	ctx := bg(t)
	if s.cluster {
		must(t, s.client.ClusterAddSlotsRange(ctx, 0, 16381).Err())
		return s.client
	}
	f.prepare(t, s.client)
	must(t, s.client.FunctionLoad(ctx, library("surface")).Err())
	must(t, s.client.ACLSetUser(ctx, "surface", "on", ">surface", "-@all").Err())
	must(t, s.client.ConfigSet(ctx, "slowlog-log-slower-than", "0").Err())
	must(t, s.client.ConfigSet(ctx, "latency-monitor-threshold", "1").Err())
	must(t, s.client.Do(ctx, "debug", "sleep", "0.01").Err())
	if err := s.client.Do(ctx, "acl", "dryrun", "surface", "get", "x").Err(); err != nil {
		t.Fatal(err)
	}
	denied := redis.NewClient(&redis.Options{Addr: own.addr(), Username: "surface",
		Password: "surface", DisableIdentity: true, Protocol: s.protocol, MaxRetries: -1})
	defer denied.Close()
	if err := denied.Get(ctx, "x").Err(); !redis.IsPermissionError(err) {
		t.Fatalf("a user without rights got %v", err)
	}
	return s.client
}

// TestSurfaceOfServers calls the methods that change what other users of a server would see.
func TestSurfaceOfServers(t *testing.T) {
	f := readFixture(t)
	for _, protocol := range []int{2, 3} {
		plain := &ownSurface{protocol: protocol}
		cluster := &ownSurface{protocol: protocol, cluster: true}
		for _, test := range commandCases {
			if test.is("server") {
				own := plain
				if test.is("cluster") {
					own = cluster
				}
				ownCase(t, f, own, test, own.ready(t, f))
			}
		}
		for _, test := range statefulCases {
			if test.is("server") {
				conn := plain.ready(t, f).Conn()
				ownCase(t, f, plain, test, redis.StatefulCmdable(conn))
				_ = conn.Close()
			}
		}
	}
}

func ownCase[C any](t *testing.T, f *fixture, own *ownSurface, test surfaceCase[C], c interface{}) {
	t.Run(fmt.Sprintf("%s, RESP%d", test.name, own.protocol), func(t *testing.T) {
		if strings.HasPrefix(test.name, "FCall") || strings.HasPrefix(test.name, "Function") {
			// What came before may have flushed them.
			must(t, own.client.FunctionLoadReplace(bg(t), library("surface")).Err())
		}
		outcome(t, test, test.call(bg(t), c.(C)))
		if test.is("alone") {
			own.client = nil
		}
	})
}

// answersOf are replies a server would give to commands that those of the tests do not know.
var answersOf = map[string]string{
	"[]int64": "*2\r\n:1\r\n:-2\r\n", "[]string": "*2\r\n$1\r\na\r\n_\r\n", "int64": ":1\r\n",
	"string": "$1\r\na\r\n", "RankScore": "*2\r\n:1\r\n,1.5\r\n",
	"": "*2\r\n$1\r\n7\r\n*1\r\n$1\r\na\r\n", // a page of a scan
}

// TestSurfaceOfNewerServers calls the methods that the servers of the tests may not know, against
// one that only answers.
func TestSurfaceOfNewerServers(t *testing.T) {
	replies, sent := make(chan string, 1), make(chan []string, 1)
	addr := startFake(t, asServer(func(args []string) (string, error) {
		sent <- args
		return <-replies, nil
	}))
	c := open(t, &redis.Options{Addr: addr})
	real, _ := standalone(t)
	for _, test := range commandCases {
		if test.is("unknown") {
			t.Run(test.name, func(t *testing.T) {
				replies <- answersOf[test.value]
				outcome(t, test, test.call(bg(t), c))
				if args := <-sent; slices.Contains(args, "") {
					t.Errorf("sent %q", args)
				}
				var refused redis.Error
				if err := test.call(bg(t), real).Err(); err != nil && !isReply(err, &refused) {
					t.Errorf("the server of the tests gave %v", err)
				}
			})
		}
	}
}

func isReply(err error, reply *redis.Error) bool {
	var ok bool
	*reply, ok = err.(redis.Error)
	return ok
}
