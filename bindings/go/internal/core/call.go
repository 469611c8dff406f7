package core

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
)

// A tag names one request of one call by number, so that C never holds a Go pointer:
//
//	generation (20 bits) | shard (4) | slot (20) | position in the submission (20)
//
// The generation changes whenever a slot is used again, so a completion that comes twice, or after
// its time, meets a call that is not its own and is dropped.
const (
	positionBits   = 20
	slotBits       = 20
	shardBits      = 4
	generationBits = 64 - positionBits - slotBits - shardBits

	// MaxBatch is the most requests of one submission; more would not fit in a tag.
	MaxBatch = 1 << positionBits
	// maxSlots is how many calls one shard can have under way.
	maxSlots = 1 << slotBits
)

// Sink takes the outcomes of a submission, one for each position: a tape or a failure. The tape is
// borrowed. Deliver runs on the reader's goroutine, or on the waiting one for large replies; never
// on two at once.
type Sink interface {
	Deliver(position int, tape Tape, failure *Failure)
}

// call is one submission under way: who takes its outcomes, and who waits for the last of them.
type call struct {
	tag      atomic.Uint64 // of position 0; 0 while nobody uses the call
	sink     Sink
	left     int           // outcomes to come
	done     chan struct{} // receives once, after the last outcome
	later    []kept        // large replies, decoded by the waiting goroutine
	position uint64        // shard and slot, in place in the tag
	uses     uint64
}

// shard holds a part of the calls. The free list is locked; the table is read without a lock by the
// reader.
type shard struct {
	mutex sync.Mutex
	free  []*call
	table atomic.Pointer[[]*call]
	_     [88]byte // keeps two shards off one cache line
}

// calls is the table of a client's calls, split so that goroutines on different processors seldom
// meet.
type calls struct {
	shards [1 << shardBits]shard
}

// take gives out a call that expects `count` outcomes. It returns nil when too many are under way.
func (c *calls) take(sink Sink, count int) *call {
	index := rand.Uint32() & (1<<shardBits - 1)
	s := &c.shards[index]
	s.mutex.Lock()
	var one *call
	if n := len(s.free); n > 0 {
		one, s.free = s.free[n-1], s.free[:n-1]
	} else {
		one = s.grow(uint64(index))
	}
	s.mutex.Unlock()
	if one == nil {
		return nil
	}
	one.sink, one.left = sink, count
	one.uses++
	generation := one.uses%(1<<generationBits-1) + 1 // never 0, so that a used tag is never 0
	// Storing the tag publishes the fields above to the reader, which loads it first.
	one.tag.Store(generation<<(64-generationBits) | one.position)
	return one
}

// grow adds a call to a locked shard.
func (s *shard) grow(index uint64) *call {
	var old []*call
	if table := s.table.Load(); table != nil {
		old = *table
	}
	if len(old) == maxSlots {
		return nil
	}
	one := &call{done: make(chan struct{}, 1)}
	one.position = (index<<slotBits | uint64(len(old))) << positionBits
	// append may write behind the published length, never within it: the reader's view stays valid.
	grown := append(old, one)
	s.table.Store(&grown)
	return one
}

// release returns a call all of whose outcomes have come.
func (c *calls) release(one *call) {
	one.tag.Store(0)
	one.sink, one.later = nil, nil
	s := &c.shards[one.position>>(positionBits+slotBits)]
	s.mutex.Lock()
	s.free = append(s.free, one)
	s.mutex.Unlock()
}

// find maps a completion's tag to its call and position; nil for a tag nobody waits for.
func (c *calls) find(tag uint64) (*call, int) {
	position := int(tag & (MaxBatch - 1))
	index := tag >> (positionBits + slotBits) & (1<<shardBits - 1)
	slot := int(tag >> positionBits & (maxSlots - 1))
	table := c.shards[index].table.Load()
	if table == nil || slot >= len(*table) || tag>>(64-generationBits) == 0 {
		return nil, 0
	}
	one := (*table)[slot]
	if one.tag.Load() != tag-uint64(position) {
		return nil, 0
	}
	return one, position
}

// deliver hands over one outcome and wakes the waiting goroutine after the last. Only the reader
// calls it.
func (one *call) deliver(position int, tape Tape, failure *Failure) {
	one.sink.Deliver(position, tape, failure)
	one.arrived()
}

func (one *call) arrived() {
	one.left--
	if one.left == 0 {
		one.tag.Store(0) // a completion that comes twice must not reach whoever has the sink next
		one.done <- struct{}{}
	}
}
