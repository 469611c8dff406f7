// The conformance machine (../../PROTOCOL.md) for the interface of go-redis. Commands wait for
// their results, and the threads of a program are goroutines. `build` makes the adapter for
// go-redis of the same source with another import.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"sync"
	"time"

	redis "tendon.dev/redis"
)

// patience is for what comes in milliseconds unless something is broken.
const patience = 30 * time.Second

func giveUp(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "driver.go: "+format+"\n", args...)
	os.Exit(1)
}

// Missing is a name that could not be made: its connect or subscribe has failed.
type Missing string

func (m Missing) Error() string { return "there is no " + string(m) }

// Unsupported is what the library has no way for.
type Unsupported string

func (u Unsupported) Error() string { return string(u) }

// outcome makes one value of a call's two results.
func outcome(value any, err error) any {
	if err == nil {
		return value
	}
	if err == redis.Nil {
		return nil
	}
	return err
}

// within waits for a value, but not for ever.
func within[T any](values <-chan T, what string) (value T) {
	select {
	case value = <-values:
	case <-time.After(patience):
		giveUp("%s took more than %v", what, patience)
	}
	return value
}

func newClient(kind, addr string, options map[string]string) (redis.UniversalClient, error) {
	protocol, _ := strconv.Atoi(options["protocol"])
	milliseconds, _ := strconv.Atoi(options["timeout_ms"])
	timeout := time.Duration(milliseconds) * time.Millisecond
	var secure *tls.Config
	if file := options["tls_ca"]; file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		secure = &tls.Config{RootCAs: x509.NewCertPool()}
		secure.RootCAs.AppendCertsFromPEM(pem)
	}
	if kind != "cluster" {
		return redis.NewClient(&redis.Options{
			Addr: addr, Protocol: protocol, ReadTimeout: timeout, TLSConfig: secure}), nil
	}
	given := &redis.ClusterOptions{
		Addrs: []string{addr}, Protocol: protocol, ReadTimeout: timeout, TLSConfig: secure}
	// For a cluster tendon takes certificates as files only, by an option that go-redis has not.
	more := reflect.ValueOf(given).Elem().FieldByName("CoreOptions")
	if secure != nil && more.IsValid() {
		secure.RootCAs = nil
		more.Set(reflect.ValueOf(map[string]string{"tls_ca_file": options["tls_ca"]}))
	}
	return redis.NewClusterClient(given), nil
}

// program is what all threads share.
type program struct {
	threads map[int][][]string

	mutex         sync.Mutex
	clients       map[string]commander
	subscriptions map[string]*subscription
	running       map[int]chan struct{}
	results       bytes.Buffer
}

func newProgram() *program {
	return &program{threads: map[int][][]string{}, clients: map[string]commander{},
		subscriptions: map[string]*subscription{}, running: map[int]chan struct{}{}}
}

func (p *program) report(thread, index int, value any) {
	frame := tokens([]string{"result", strconv.Itoa(thread), strconv.Itoa(index)}, value)
	p.mutex.Lock()
	defer p.mutex.Unlock()
	writeFrame(&p.results, frame...)
}

func (p *program) keep(name string, client commander) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.clients[name] = client
}

func (p *program) forget(name string) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	delete(p.clients, name)
}

func (p *program) client(name string) (commander, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if client := p.clients[name]; client != nil {
		return client, nil
	}
	return nil, Missing("client " + name)
}

func (p *program) subscription(name string) (*subscription, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if found := p.subscriptions[name]; found != nil {
		return found, nil
	}
	return nil, Missing("subscription " + name)
}

func (p *program) start(number int) {
	ended := make(chan struct{})
	p.mutex.Lock()
	p.running[number] = ended
	p.mutex.Unlock()
	go func() {
		defer close(ended)
		newThread(p, number).run()
	}()
}

func (p *program) wait(number int) {
	p.mutex.Lock()
	ended := p.running[number]
	p.mutex.Unlock()
	if ended == nil {
		giveUp("thread %d was never started", number)
	}
	within(ended, fmt.Sprintf("thread %d", number))
}

func (p *program) run() {
	newThread(p, 0).run()
	for number := range p.running {
		p.wait(number)
	}
	for _, subscription := range p.subscriptions {
		_ = subscription.pubsub.Close()
	}
	for _, client := range p.clients {
		_ = closed(client)
	}
}

func closed(client commander) error {
	return client.(interface{ Close() error }).Close()
}

// entry is one of a thread's stack.
type entry struct {
	index int
	value any
}

// thread executes the instructions of one thread.
type thread struct {
	program  *program
	number   int
	at       int // the index of the instruction that is executed
	stack    []entry
	watching map[string]commander // what has the place of a client while it watches
	refused  map[string]error     // why a watch has failed, up to where it would have ended
	batches  map[string][]call    // what is queued
}

func newThread(p *program, number int) *thread {
	return &thread{program: p, number: number, at: -1,
		watching: map[string]commander{}, refused: map[string]error{}, batches: map[string][]call{}}
}

func (t *thread) run() {
	t.execute(func() bool { return true })
	for _, left := range t.stack {
		t.program.report(t.number, left.index, left.value)
	}
}

func (t *thread) execute(goesOn func() bool) {
	instructions := t.program.threads[t.number]
	for goesOn() && t.at+1 < len(instructions) {
		t.at++
		instruction := instructions[t.at]
		step, known := steps[instruction[0]]
		if !known {
			giveUp("no such instruction: %s", instruction[0])
		}
		step(t, instruction[1:])
	}
}

func (t *thread) push(value any) { t.stack = append(t.stack, entry{t.at, value}) }

func (t *thread) pushFailure(err error) {
	if err != nil {
		t.push(err)
	}
}

func (t *thread) take() entry {
	if len(t.stack) == 0 {
		giveUp("%d.%d: the stack is empty", t.number, t.at)
	}
	top := t.stack[len(t.stack)-1]
	t.stack = t.stack[:len(t.stack)-1]
	return top
}

func (t *thread) words(operands []string) words {
	found := words{}
	for _, operand := range operands {
		found = append(found, t.operand(operand))
	}
	return found
}

func (t *thread) operand(text string) (value any) {
	err := error(nil)
	switch text[0] {
	case '=':
		return text[1:]
	case '^':
		return asText(t.take().value)
	case ':':
		value, err = strconv.ParseInt(text[1:], 10, 64)
	case ',':
		value, err = strconv.ParseFloat(text[1:], 64)
	default:
		giveUp("no operand: %q", text)
	}
	if err != nil {
		giveUp("%v", err)
	}
	return value
}

func (t *thread) client(name string) (commander, error) {
	if err := t.refused[name]; err != nil {
		return nil, err
	}
	if client := t.watching[name]; client != nil {
		return client, nil
	}
	return t.program.client(name)
}

// universal is a client that is not just one connection.
func (t *thread) universal(name string) (redis.UniversalClient, error) {
	client, err := t.program.client(name)
	if err != nil {
		return nil, err
	}
	universal, ok := client.(redis.UniversalClient)
	if !ok {
		return nil, Unsupported("a connection of its own does not do this")
	}
	return universal, nil
}

// request makes a command, or queues it while a batch of its client is open.
func (t *thread) request(name string, make call) {
	if queued, open := t.batches[name]; open {
		t.batches[name] = append(queued, make)
		return
	}
	client, err := t.client(name)
	if err != nil {
		t.push(err)
		return
	}
	t.push(outcome(make(client)()))
}

// sent sends what is queued by Pipelined or TxPipelined of the client, and gives the outcomes.
func (t *thread) sent(name string, send func(commander, func(redis.Pipeliner) error) error) any {
	calls := t.batches[name]
	delete(t.batches, name)
	client, err := t.client(name)
	if err != nil {
		return err
	}
	pendings := []pending{}
	err = send(client, func(pipeline redis.Pipeliner) error {
		for _, make := range calls {
			pendings = append(pendings, make(pipeline))
		}
		return nil
	})
	if err != nil {
		return err
	}
	values := []any{}
	for _, pending := range pendings {
		values = append(values, outcome(pending()))
	}
	return values
}

func pipelined(client commander, fill func(redis.Pipeliner) error) error {
	_, _ = client.Pipelined(ctx, fill) // each command has its own error
	return nil
}

// transacted gives the error of a transaction that was not executed; that of one of its commands is
// in its place.
func transacted(client commander, fill func(redis.Pipeliner) error) error {
	cmds, err := client.TxPipelined(ctx, fill)
	for _, cmd := range cmds {
		if redis.HasErrorPrefix(cmd.Err(), "EXECABORT") {
			return err // on a cluster the error of the command to blame
		}
	}
	var reply redis.Error
	switch {
	case err == nil, err == redis.Nil:
		return nil
	case err == redis.TxFailedErr, errors.Is(err, redis.ErrCrossSlot), !errors.As(err, &reply):
		return err
	case redis.HasErrorPrefix(err, "EXECABORT"), executedOf(err) == "no":
		return err
	}
	return nil
}

// watch executes the instructions up to its end inside of the library's callback. What is not
// watched is not executed.
func (t *thread) watch(name string, keys []string) {
	client, err := t.universal(name)
	if err == nil {
		err = client.Watch(ctx, func(tx *redis.Tx) error {
			t.watching[name] = tx
			t.execute(func() bool { return t.watching[name] != nil })
			return nil
		}, keys...)
	}
	if err != nil {
		t.push(err)
		t.refused[name] = err
	}
}

func (t *thread) endWatch(name string) {
	delete(t.watching, name)
	delete(t.refused, name)
}

// cancel gives a command up by its context.
func (t *thread) cancel(name string, wait time.Duration, w words) any {
	if os.Args[1] == "go-redis" { // it looks at the context when its read times out, after seconds
		return "unsupported"
	}
	client, err := t.client(name)
	if err != nil {
		return err
	}
	limited, giveItUp := context.WithCancel(ctx)
	ended := make(chan any, 1)
	go func() { ended <- outcome(client.Do(limited, w...).Result()) }()
	time.Sleep(wait)
	giveItUp()
	return within(ended, "the end of a command that was given up")
}

func (t *thread) subscribe(name, clientName, prefix string, names []string) error {
	found, err := t.program.subscription(name)
	if err != nil {
		client, err := t.universal(clientName)
		if err != nil {
			return err
		}
		found = newSubscription(client)
		t.program.mutex.Lock()
		t.program.subscriptions[name] = found
		t.program.mutex.Unlock()
	}
	return found.subscribe(prefix, names)
}

func (t *thread) unsubscribeAll(name string) error {
	found, err := t.program.subscription(name)
	if err != nil {
		return err
	}
	t.program.mutex.Lock()
	delete(t.program.subscriptions, name)
	t.program.mutex.Unlock()
	return found.pubsub.Close()
}

func milliseconds(text string) time.Duration {
	return time.Duration(must(strconv.Atoi(text))) * time.Millisecond
}
