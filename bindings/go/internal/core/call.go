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

// call is one submission under way: who takes its outcomes, and who waits for the last of them. It
// is part of a Batch and used again with it.
type call struct {
	tag  atomic.Uint64 // of position 0; 0 when no outcome is awaited
	sink Sink
	left int           // outcomes to come
	done chan struct{} // receives once, after the last outcome
	late []kept        // large replies, decoded by the waiting goroutine

	refused int32   // a TENDON_ERROR_* of a gathered request that was not taken
	members []*call // of a group: whose requests they are, by position; nil once told
}

// slot is a place in a shard's table.
type slot struct {
	call atomic.Pointer[call]
	uses uint64
}

// shard holds a part of the calls. The lock is for those who take and release slots; the reader
// looks into the table without it.
type shard struct {
	mutex sync.Mutex
	free  []uint32 // slots nobody uses
	table atomic.Pointer[[]*slot]
	_     [88]byte // keeps two shards off one cache line
}

// calls is the table of a client's calls, split so that goroutines on different processors seldom
// meet.
type calls struct {
	shards [1 << shardBits]shard
}

// take gives `one` a tag under which `count` outcomes find it. It reports false when too many calls
// are under way.
func (c *calls) take(one *call, sink Sink, count int) bool {
	index := rand.Uint64() & (1<<shardBits - 1)
	s := &c.shards[index]
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if len(s.free) == 0 && !s.grow() {
		return false
	}
	number := s.free[len(s.free)-1]
	s.free = s.free[:len(s.free)-1]
	place := (*s.table.Load())[number]
	place.uses++
	one.await(sink, count)
	generation := place.uses%(1<<generationBits-1) + 1 // never 0, so that a used tag is never 0
	// Storing the tag and the call publishes the fields above to the reader, which loads these
	// first.
	one.tag.Store(generation<<(64-generationBits) | (index<<slotBits|uint64(number))<<positionBits)
	place.call.Store(one)
	return true
}

// await makes a call ready for its outcomes.
func (one *call) await(sink Sink, count int) {
	if one.done == nil {
		one.done = make(chan struct{}, 1)
	}
	one.sink, one.left = sink, count
}

// grow adds slots to a locked shard.
func (s *shard) grow() bool {
	var old []*slot
	if table := s.table.Load(); table != nil {
		old = *table
	}
	count := min(max(len(old), 4), maxSlots-len(old))
	// append may write behind the published length, never within it: the reader's view stays valid.
	grown := old
	fresh := make([]slot, count)
	for i := range fresh {
		s.free = append(s.free, uint32(len(grown)))
		grown = append(grown, &fresh[i])
	}
	s.table.Store(&grown)
	return count > 0
}

// release takes the tag away from a call all of whose outcomes have come, or never will.
func (c *calls) release(one *call, tag uint64) {
	one.tag.Store(0)
	one.sink, one.late = nil, nil
	s := &c.shards[shardOf(tag)]
	s.mutex.Lock()
	(*s.table.Load())[slotOf(tag)].call.Store(nil)
	s.free = append(s.free, uint32(slotOf(tag)))
	s.mutex.Unlock()
}

func shardOf(tag uint64) uint64 { return tag >> (positionBits + slotBits) & (1<<shardBits - 1) }
func slotOf(tag uint64) int     { return int(tag >> positionBits & (maxSlots - 1)) }

// find maps a completion's tag to its call and position; nil for a tag nobody waits for.
func (c *calls) find(tag uint64) (*call, int) {
	position := int(tag & (MaxBatch - 1))
	table := c.shards[shardOf(tag)].table.Load()
	if table == nil || slotOf(tag) >= len(*table) || tag>>(64-generationBits) == 0 {
		return nil, 0
	}
	one := (*table)[slotOf(tag)].call.Load()
	if one == nil || one.tag.Load() != tag-uint64(position) {
		return nil, 0
	}
	return one, position
}

// deliver hands over one outcome and wakes the waiting goroutine after the last. Only who takes
// completions calls it.
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
