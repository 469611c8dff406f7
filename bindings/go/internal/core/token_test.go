package core

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func newToken() *token { return &token{freed: make(chan struct{}, 1)} }

func TestWhatIsLeftIsForTheHolder(t *testing.T) {
	held := newToken()
	if !held.enter(tokenLeft) || held.enter(tokenNoMark) || held.enter(tokenLeft) {
		t.Fatal("one at a time has it")
	}
	if held.leave() || held.enter(tokenNoMark) {
		t.Fatal("what was left was not told, or the token was given up all the same")
	}
	if !held.leave() || !held.enter(tokenNoMark) || !held.leave() {
		t.Fatal("nothing more was left")
	}
}

// Who waits gets the token before the holder does what was left, and finds that.
func TestWhatIsLeftGoesToWhoWaits(t *testing.T) {
	held := newToken()
	held.take()
	found := make(chan bool)
	go func() {
		held.take()
		found <- !held.leave()
	}()
	for held.state.Load()&tokenAwaited == 0 {
		time.Sleep(time.Millisecond)
	}
	if held.enter(tokenLeft) {
		t.Fatal("two have it")
	}
	if !held.leave() {
		t.Fatal("the holder was told, though somebody waits")
	}
	if !<-found {
		t.Fatal("nobody was told")
	}
}

// Nothing that is left is forgotten, and nobody waits for ever.
func TestNothingLeftIsForgotten(t *testing.T) {
	held := newToken()
	var added, done, inside atomic.Int64
	release := func() {
		for {
			done.Store(added.Load())
			inside.Add(-1)
			if held.leave() {
				return
			}
			inside.Add(1)
		}
	}
	var all sync.WaitGroup
	for g := 0; g < 8; g++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for i := 0; i < 20_000; i++ {
				added.Add(1)
				if g == 0 {
					held.take()
				} else if !held.enter(tokenLeft) {
					continue
				}
				if inside.Add(1) != 1 {
					t.Error("two are inside")
				}
				release()
			}
		}()
	}
	all.Wait()
	if done.Load() != added.Load() || held.state.Load() != 0 {
		t.Errorf("%d of %d were done, state %d", done.Load(), added.Load(), held.state.Load())
	}
}
