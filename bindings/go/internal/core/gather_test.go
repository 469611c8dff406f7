package core

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Calls whose contexts end at any moment, from before they cross to after their replies came, have
// one outcome each, and none disturbs another's.
func TestGatheredCallsEndWithTheirContexts(t *testing.T) {
	c := connected(t)
	var all sync.WaitGroup
	for g := 0; g < 40; g++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for i := 0; i < 100; i++ {
				ctx, cancel := context.WithTimeout(context.Background(),
					time.Duration((g*100+i)%97*10)*time.Microsecond)
				if g%2 == 0 {
					ping(t, c, nil)
				} else if sink := once(t, ctx, c, 20_000); sink.all[0] != nil &&
					sink.all[0].Status != StatusCancelled {
					t.Errorf("got %+v", sink.all[0])
				}
				cancel()
			}
		}()
	}
	all.Wait()
}

// A request that the core does not take costs no other of its group its outcome.
func TestARefusedRequestOfAGroup(t *testing.T) {
	c := connected(t)
	ping(t, c, nil)
	var all sync.WaitGroup
	for g := 0; g < 40; g++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for i := 0; i < 50; i++ {
				if g%4 != 0 {
					ping(t, c, nil)
					continue
				}
				var b Batch
				b.Begin(0)
				b.AddText("ping")
				b.Timeout = -7 // what no deadline can be
				sink := &failures{}
				failure := c.Do(context.Background(), &b, sink)
				if failure == nil || len(sink.all) != 0 {
					t.Errorf("got %+v and %+v", failure, sink.all)
				}
			}
		}()
	}
	all.Wait()
}

// More goroutines than a group has room for get what they asked for, whether the reader decodes it
// or they do.
func TestGatheredRepliesGoToWhoAsked(t *testing.T) {
	c := connected(t, Option{"max_pending", "10000"})
	var all sync.WaitGroup
	for g := 0; g < 2*gatheredRequests+100; g++ {
		all.Add(1)
		go func() {
			defer all.Done()
			text := strconv.Itoa(g)
			sent := 0
			if g%50 == 0 {
				sent = largeBytes + g
			}
			for i := 0; i < 3; i++ {
				var b Batch
				b.Begin(0)
				b.AddText("eval")
				b.AddText("return ARGV[1] .. string.rep('x', ARGV[2])")
				b.AddText("0")
				b.AddText(text)
				b.AddText(strconv.Itoa(sent))
				b.Timeout = 60_000
				sink := &texts{}
				failure := c.Do(context.Background(), &b, sink)
				want := text + strings.Repeat("x", sent)
				if failure != nil || len(sink.all) != 1 || sink.all[0] != want {
					t.Errorf("%d got %+v and %d replies", g, failure, len(sink.all))
				}
			}
		}()
	}
	all.Wait()
}

type texts struct{ all []string }

func (s *texts) Deliver(_ int, tape Tape, failure *Failure) {
	if failure != nil {
		s.all = append(s.all, failure.Message)
	} else {
		s.all = append(s.all, tape.Text(0))
	}
}

// once sends a PING that has to have one outcome.
func once(t *testing.T, ctx context.Context, c *Client, timeout int64) *failures {
	t.Helper()
	var b Batch
	b.Begin(0)
	b.AddText("ping")
	b.Timeout = timeout
	sink := &failures{}
	if failure := c.Do(ctx, &b, sink); failure != nil {
		t.Errorf("%+v", failure)
		sink.all = append(sink.all, failure)
	} else if len(sink.all) != 1 {
		t.Errorf("got %+v", sink.all)
	}
	return sink
}
