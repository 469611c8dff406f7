package core

import (
	"sync"
	"testing"
)

type recorder struct{ positions []int }

func (r *recorder) Deliver(position int, _ Tape, _ *Failure) {
	r.positions = append(r.positions, position)
}

func TestTagsNameOneUseOfACall(t *testing.T) {
	var table calls
	sink := &recorder{}
	one := &call{}
	table.take(one, sink, 3)
	tag := one.tag.Load()
	for position := 0; position < 3; position++ {
		found, at := table.find(tag + uint64(position))
		if found != one || at != position {
			t.Fatalf("position %d led to %p at %d, want %p", position, found, at, one)
		}
		found.deliver(at, Tape{}, nil)
	}
	<-one.done
	if len(sink.positions) != 3 {
		t.Fatalf("delivered %v", sink.positions)
	}
	if found, _ := table.find(tag); found != nil {
		t.Fatal("a completion after the last one found a call")
	}
	table.release(one, tag)
	for i := 0; i < 200; i++ { // until the same slot is in use again
		table.take(one, sink, 1)
		next := one.tag.Load()
		if next == tag {
			t.Fatal("a tag was used twice")
		}
		if found, _ := table.find(tag); found != nil {
			t.Fatal("the tag of an ended call found another one")
		}
		table.release(one, next)
	}
}

func TestTagsNobodyGave(t *testing.T) {
	var table calls
	one := &call{}
	table.take(one, &recorder{}, 1)
	used := one.tag.Load()
	table.release(one, used)
	foreign := []uint64{0, 1, 1 << 63, ^uint64(0), used, used + 7, used << generationBits}
	for _, tag := range foreign {
		if found, _ := table.find(tag); found != nil {
			t.Errorf("tag %x found a call", tag)
		}
	}
}

func TestCallsFromManyGoroutines(t *testing.T) {
	var table calls
	type item struct {
		one *call
		tag uint64
	}
	completions := make(chan item, 64)
	var readers, users sync.WaitGroup
	readers.Add(1)
	go func() { // the only reader, as in a client
		defer readers.Done()
		for got := range completions {
			found, at := table.find(got.tag)
			if found != got.one {
				t.Errorf("a tag led to another call")
				return
			}
			found.deliver(at, Tape{}, nil)
		}
	}()
	for g := 0; g < 32; g++ {
		users.Add(1)
		go func() {
			defer users.Done()
			one := &call{}
			for i := 0; i < 2000; i++ {
				sink := &recorder{}
				table.take(one, sink, 1)
				tag := one.tag.Load()
				completions <- item{one, tag}
				<-one.done
				if len(sink.positions) != 1 {
					t.Errorf("delivered %v", sink.positions)
				}
				table.release(one, tag)
			}
		}()
	}
	users.Wait()
	close(completions)
	readers.Wait()
	total := 0
	for i := range table.shards {
		if all := table.shards[i].table.Load(); all != nil {
			total += len(*all)
		}
	}
	if total > 2*32*(1<<shardBits) {
		t.Errorf("%d slots for 32 goroutines: they are not used again", total)
	}
}
