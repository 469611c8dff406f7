package core

import (
	"reflect"
	"strings"
	"testing"
)

// arguments unpacks a batch the way libtendon reads it.
func (b *Batch) arguments() [][]string {
	data, sizes := b.data, b.sizes
	all := [][]string{}
	index := 0
	for _, shape := range b.shapes {
		one := []string{}
		for i := 0; i < int(shape.arg_count); i++ {
			if b.large != nil && index == b.largeIndex {
				one = append(one, string(b.large))
			} else {
				one = append(one, string(data[:sizes[index]]))
				data = data[sizes[index]:]
			}
			index++
		}
		all = append(all, one)
	}
	return all
}

func check(t *testing.T, b *Batch, want ...[]string) {
	t.Helper()
	if got := b.arguments(); !reflect.DeepEqual(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
}

func TestBatchPacksArguments(t *testing.T) {
	var b Batch
	b.Begin(0)
	b.AddText("set")
	b.AddBytes([]byte("k\x00"))
	b.AddWith(func(to []byte) []byte { return append(to, "12"...) })
	b.Begin(FlagAtomic)
	b.AddText("")
	check(t, &b, []string{"set", "k\x00", "12"}, []string{""})
	b.Reset()
	if b.Len() != 0 {
		t.Fatalf("%d requests after Reset", b.Len())
	}
	b.Begin(0)
	b.AddText("ping")
	check(t, &b, []string{"ping"})
}

func TestBatchLargeArgument(t *testing.T) {
	var b Batch
	b.Begin(0)
	b.AddText("set")
	b.AddLarge([]byte("LARGE"))
	b.AddLarge([]byte("second"))
	b.AddText("px")
	check(t, &b, []string{"set", "LARGE", "second", "px"})
	b.Begin(0)
	b.AddText("get")
	b.unpackLarge()
	check(t, &b, []string{"set", "LARGE", "second", "px"}, []string{"get"})
	b.Reset()
	if b.large != nil {
		t.Fatal("Reset keeps a value of the caller's")
	}
}

func TestBatchDoesNotCopyALargeText(t *testing.T) {
	var b Batch
	text := strings.Repeat("x", LargeArgument)
	copied := testing.AllocsPerRun(10, func() {
		b.Reset()
		b.Begin(0)
		b.AddText("set")
		b.AddText(text)
	})
	if copied > 0 || len(b.data) != len("set") {
		t.Fatalf("%v allocations, %d bytes are copied", copied, len(b.data))
	}
	check(t, &b, []string{"set", text})
}

func TestBatchKeepsNoHugeBuffer(t *testing.T) {
	var b Batch
	b.Reset()
	b.Begin(0)
	b.AddBytes(make([]byte, 10*keptBytes))
	b.Reset()
	if cap(b.data) > keptBytes {
		t.Fatalf("%d bytes are kept", cap(b.data))
	}
}
