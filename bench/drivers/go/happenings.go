// The jobs in which something happens to connections: made and closed, subscribed, lost.
package main

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	pauseAfterFailure = 10 * time.Millisecond
	slowAfter         = 100 * time.Millisecond
	kindBytes         = 60
	deliveryTimeout   = 5 * time.Second
)

var errUnanswered = errors.New("UNANSWERED when the run ended")

func (t *tally) connections() {
	for t.running() {
		began := time.Now()
		reply, err := t.connectOnce()
		t.note(time.Since(began))
		if err != nil || reply != "PONG" {
			t.fail(fmt.Sprintf("PING answered %q: %v", reply, err))
		}
		t.ops++
	}
}

func (t *tally) connectOnce() (string, error) {
	c := open(t.j)
	reply, err := c.ping()
	if closing := c.close(); err == nil {
		err = closing
	}
	return reply, err
}

// messages publishes on a client of its own and waits until the subscriber has everything.
func (t *tally) messages(subscriber *client) {
	publisher := open(t.j)
	arrived := make(chan int, t.j.batch)
	received := 0
	err := subscriber.subscribe("bench", func(text string) {
		t.checkMessage(received, text, subscriber.unordered)
		received++
		if received%t.j.batch == 0 {
			arrived <- received
		}
	})
	if err != nil {
		die("subscribe", err)
	}
	messages := make([]string, t.j.batch)
	for sent := 0; t.running(); {
		for i := range messages {
			messages[i] = t.j.value((sent + i) % t.j.keys)
		}
		sent += len(messages)
		began := time.Now()
		if err := publisher.publish("bench", messages); err != nil {
			die("publish", err)
		}
		select {
		case <-arrived:
			t.note(time.Since(began))
		case <-time.After(deliveryTimeout):
			die("subscribe", fmt.Errorf("of %d messages only %d came", sent, received))
		}
	}
}

// checkMessage looks for one that may come in any order among those published with it.
func (t *tally) checkMessage(number int, text string, unordered bool) {
	key := number % t.j.keys
	if unordered && t.ops%contentEvery == 0 {
		first := number - number%t.j.batch
		for n := first; n < first+t.j.batch; n++ {
			if text == t.j.value(n%t.j.keys) {
				key = n % t.j.keys
			}
		}
	}
	t.check(key, false, text)
}

// throughFailover is oneAtATime where a call may fail.
func (t *tally) throughFailover(c *client) {
	for t.running() {
		key := t.nextKey()
		write := t.writes()
		t.called = time.Now()
		reply, err := t.call(c, key, write)
		took := time.Since(t.called)
		t.note(took)
		if t.counting {
			t.troubles.note(t.called.Sub(t.j.began), took, err)
		}
		if err != nil {
			time.Sleep(pauseAfterFailure)
			continue
		}
		t.check(key, write, reply)
	}
}

// unanswered counts a call that never ended; another one is an error.
func (t *tally) unanswered() {
	if t.ended.Load() {
		return
	}
	if t.j.mode == "failover" {
		t.troubles.note(t.called.Sub(t.j.began), time.Since(t.called), errUnanswered)
	} else {
		t.fail("a call did not end")
	}
}

// Failed and slow calls.
type troubles struct {
	failed, slow         int
	slowest, first, last time.Duration // first and last after the clock began
	any                  bool
	kinds                map[string]int
}

func (a *troubles) note(began, took time.Duration, err error) {
	a.slowest = max(a.slowest, took)
	if err == nil && took <= slowAfter {
		return
	}
	one := troubles{slowest: took, first: began, last: began + took, any: true}
	if took > slowAfter {
		one.slow = 1
	}
	if err != nil {
		one.failed = 1
		one.kinds = map[string]int{kind(err): 1}
	}
	a.add(&one)
}

func (a *troubles) add(b *troubles) {
	a.failed += b.failed
	a.slow += b.slow
	a.slowest = max(a.slowest, b.slowest)
	if a.kinds == nil {
		a.kinds = map[string]int{}
	}
	for name, count := range b.kinds {
		a.kinds[name] += count
	}
	if !b.any {
		return
	}
	if !a.any || b.first < a.first {
		a.first = b.first
	}
	a.last = max(a.last, b.last)
	a.any = true
}

func (a *troubles) describe(extra map[string]any) {
	millis := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }
	extra["failed"], extra["slow"] = a.failed, a.slow
	extra["slowest_ms"] = millis(a.slowest)
	extra["first_trouble_ms"], extra["last_trouble_ms"] = nil, nil
	if a.any {
		extra["first_trouble_ms"], extra["last_trouble_ms"] = millis(a.first), millis(a.last)
	}
	extra["kinds"] = a.kinds
}

// kind is the first word of a server's error; of others the type, which says more than a word.
func kind(err error) string {
	word, _, _ := strings.Cut(err.Error(), " ")
	if word == strings.ToUpper(word) && len(word) > 2 && !strings.ContainsAny(word, ".:") {
		return word
	}
	text := fmt.Sprintf("%T: %v", err, err)
	// Up to the first number: ports differ from call to call.
	if number := strings.IndexAny(text, "0123456789"); number > 0 {
		text = text[:number]
	}
	return text[:min(len(text), kindBytes)]
}
