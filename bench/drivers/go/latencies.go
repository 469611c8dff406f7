// Counts of nanoseconds, 64 steps to each power of two. All goroutines share them, and they are
// made before the clock starts, so that measuring does not add to the allocations that are counted.
package main

import (
	"math/bits"
	"sync/atomic"
	"time"
)

type latencies [40 * 64]atomic.Int64

func (l *latencies) note(took time.Duration) {
	ns := uint64(max(took, 0))
	power := max(bits.Len64(ns)-7, 0)
	step := power*64 + int(ns>>power)
	l[min(step, len(l)-1)].Add(1)
}

// micros is nil when nothing was timed.
func (l *latencies) micros(share float64) any {
	total, seen := int64(0), int64(0)
	for step := range l {
		total += l[step].Load()
	}
	for step := range l {
		seen += l[step].Load()
		if total > 0 && float64(seen) >= share*float64(total) {
			power := max(step/64-1, 0)
			return float64((step-power*64)<<power) / 1e3
		}
	}
	return nil
}
