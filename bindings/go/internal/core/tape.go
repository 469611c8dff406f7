package core

import (
	"math"
	"unsafe"
)

// Types of a node, as <tendon/reply.h> numbers them. The layout test compares them with the header.
const (
	NodeNull      = 1
	NodeStatus    = 2
	NodeError     = 3
	NodeInteger   = 4
	NodeString    = 5
	NodeArray     = 6
	NodeDouble    = 7
	NodeBoolean   = 8
	NodeBigNumber = 9
	NodeVerbatim  = 10
	NodeMap       = 11
	NodeSet       = 12
	NodePush      = 13
)

// Node mirrors tendon_node. Bits holds the union: an integer, a double, an offset or a span.
type Node struct {
	Type     uint8
	Flags    uint8
	reserved uint16
	Size     uint32
	Bits     uint64
}

// Tape is a borrowed look at a reply in C memory. It is valid only while Sink.Deliver runs;
// whatever is to outlive that must be copied, which Text and Bytes do.
type Tape struct {
	nodes []Node
	data  []byte
}

func makeTape(nodes unsafe.Pointer, nodeCount uint64, data unsafe.Pointer, dataBytes uint64) Tape {
	tape := Tape{nodes: unsafe.Slice((*Node)(nodes), int(nodeCount))}
	if dataBytes > 0 {
		tape.data = unsafe.Slice((*byte)(data), int(dataBytes))
	}
	return tape
}

// Type of node i; node 0 is the root.
func (t Tape) Type(i int) uint8 { return t.nodes[i].Type }

// Size is the number of direct children of an aggregate, or of bytes of a string.
func (t Tape) Size(i int) int { return int(t.nodes[i].Size) }

// Int is the value of an INTEGER or BOOLEAN node.
func (t Tape) Int(i int) int64 { return int64(t.nodes[i].Bits) }

// Float is the value of a DOUBLE node.
func (t Tape) Float(i int) float64 { return math.Float64frombits(t.nodes[i].Bits) }

// Next is the index of the sibling after node i.
func (t Tape) Next(i int) int {
	if t.IsAggregate(i) {
		return i + int(t.nodes[i].Bits)
	}
	return i + 1
}

// IsAggregate says whether node i has children.
func (t Tape) IsAggregate(i int) bool {
	switch t.nodes[i].Type {
	case NodeArray, NodeMap, NodeSet, NodePush:
		return true
	}
	return false
}

// IsText says whether node i has bytes of its own.
func (t Tape) IsText(i int) bool {
	switch t.nodes[i].Type {
	case NodeString, NodeStatus, NodeError, NodeVerbatim, NodeBigNumber:
		return true
	}
	return false
}

// Text copies the bytes of a string node out of C memory.
func (t Tape) Text(i int) string { return string(t.borrow(i)) }

// Holds says whether node i is a string with this text.
func (t Tape) Holds(i int, text string) bool { return t.IsText(i) && string(t.borrow(i)) == text }

// CopyText copies the bytes of a string node into `to`, which must have room for Size(i).
func (t Tape) CopyText(i int, to []byte) int { return copy(to, t.borrow(i)) }

// AppendText appends the bytes of a string node to `to`.
func (t Tape) AppendText(to []byte, i int) []byte { return append(to, t.borrow(i)...) }

// borrow is the bytes of a string node inside C memory.
func (t Tape) borrow(i int) []byte {
	node := &t.nodes[i]
	if node.Size == 0 {
		return nil
	}
	return t.data[node.Bits : node.Bits+uint64(node.Size)]
}

// Sub is the part of the tape that begins with node i, as a reply of its own.
func (t Tape) Sub(i int) Tape { return Tape{nodes: t.nodes[i:], data: t.data} }
