package core

import (
	"sync"
	"sync/atomic"
)

// token says who drives a client or writes for it inside C: one at a time. Who finds it taken
// leaves a mark and goes away, and its holder does that before it gives the token up. So goroutines
// never wait for each other inside C, where the scheduler sees a busy thread, and what comes while
// somebody crosses goes together with the next crossing. What only hands something to the core
// needs no token: a request without a flush, a lease, a subscription.
type token struct {
	state atomic.Uint32
	line  sync.Mutex    // for those who wait: the first of them waits for the token
	freed chan struct{} // told when the token was given up though somebody awaited it
}

// The states of a token. A mark is only ever set while it is taken.
const (
	tokenTaken   uint32 = 1 << iota
	tokenLeft           // somebody left it to the holder to submit and to write
	tokenAwaited        // somebody waits for it

	tokenNoMark uint32 = 0
)

// enter takes the token, or leaves a mark with its holder and reports false.
func (t *token) enter(mark uint32) bool {
	for {
		state := t.state.Load()
		if state&tokenTaken == 0 {
			if t.state.CompareAndSwap(state, state|tokenTaken) {
				return true
			}
		} else if state&mark == mark || t.state.CompareAndSwap(state, state|mark) {
			return false
		}
	}
}

// take waits for the token.
func (t *token) take() {
	if t.enter(tokenNoMark) {
		return
	}
	t.line.Lock()
	defer t.line.Unlock()
	for !t.enter(tokenAwaited) {
		<-t.freed
	}
}

// leave gives the token up. It reports false, and the token is still taken, when something was left
// to the holder that nobody else will do.
func (t *token) leave() bool {
	for {
		state := t.state.Load()
		awaited := state&tokenAwaited != 0
		if state&tokenLeft != 0 && !awaited {
			if t.state.CompareAndSwap(state, state&^tokenLeft) {
				return false
			}
			continue
		}
		// Who awaits it finds what was left, and does it in turn.
		if !t.state.CompareAndSwap(state, state&tokenLeft) {
			continue
		}
		if awaited {
			select {
			case t.freed <- struct{}{}:
			default: // it is told already
			}
		}
		return true
	}
}
