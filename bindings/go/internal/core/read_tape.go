package core

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
)

// Limits of a reply that Go reads itself, which is only what comes while it prepares a connection.
const (
	readDepth = 8
	readBytes = 1 << 20
	readNodes = 1 << 16
)

// simpleNodes are the forms of one line whose text is the value.
var simpleNodes = map[byte]uint8{'+': NodeStatus, '-': NodeError, '(': NodeBigNumber}

// textNodes are the forms that tell their length first.
var textNodes = map[byte]uint8{'$': NodeString, '!': NodeError, '=': NodeVerbatim}

// listNodes are the forms with children.
var listNodes = map[byte]uint8{'*': NodeArray, '%': NodeMap, '~': NodeSet, '>': NodePush}

// ReadTape reads one reply of RESP2 or RESP3 into memory of its own.
func ReadTape(in *bufio.Reader) (Tape, error) {
	t := Tape{}
	err := t.read(in, 0)
	return t, err
}

func (t *Tape) read(in *bufio.Reader, depth int) error {
	line, err := in.ReadString('\n')
	if err != nil {
		return err
	}
	if len(line) < 3 || line[len(line)-2] != '\r' || depth > readDepth || len(t.nodes) > readNodes {
		return fmt.Errorf("redis: the server answered with %.20q, which is no reply", line)
	}
	mark, text := line[0], line[1:len(line)-2]
	if kind, ok := simpleNodes[mark]; ok {
		t.addText(kind, []byte(text))
		return nil
	}
	if kind, ok := textNodes[mark]; ok {
		return t.readText(in, kind, text)
	}
	if kind, ok := listNodes[mark]; ok {
		return t.readList(in, kind, text, depth)
	}
	node := Node{Type: NodeNull}
	switch mark {
	case ':':
		number, failed := strconv.ParseInt(text, 10, 64)
		node, err = Node{Type: NodeInteger, Bits: uint64(number)}, failed
	case ',':
		number, failed := strconv.ParseFloat(text, 64)
		node, err = Node{Type: NodeDouble, Bits: math.Float64bits(number)}, failed
	case '#':
		node = Node{Type: NodeBoolean}
		if text == "t" {
			node.Bits = 1
		}
	case '_':
	default:
		err = fmt.Errorf("redis: the server answered with %.20q, which is no reply", line)
	}
	t.nodes = append(t.nodes, node)
	return err
}

func (t *Tape) addText(kind uint8, text []byte) {
	t.nodes = append(t.nodes, Node{Type: kind, Size: uint32(len(text)), Bits: uint64(len(t.data))})
	t.data = append(t.data, text...)
}

// size reads a length; less than 0 is a null of RESP2.
func (t *Tape) size(text string) (int, error) {
	size, err := strconv.Atoi(text)
	if err == nil && size > readBytes {
		err = errors.New("redis: the server's answer is too long")
	}
	if err == nil && size < 0 {
		t.nodes = append(t.nodes, Node{Type: NodeNull})
	}
	return size, err
}

func (t *Tape) readText(in *bufio.Reader, kind uint8, text string) error {
	size, err := t.size(text)
	if err != nil || size < 0 {
		return err
	}
	data := make([]byte, size+2)
	if _, err := io.ReadFull(in, data); err != nil {
		return err
	}
	data = data[:size]
	if kind == NodeVerbatim && size >= 4 {
		data = data[4:] // the format, such as "txt:"
	}
	t.addText(kind, data)
	return nil
}

func (t *Tape) readList(in *bufio.Reader, kind uint8, text string, depth int) error {
	size, err := t.size(text)
	if err != nil || size < 0 {
		return err
	}
	if kind == NodeMap {
		size *= 2
	}
	at := len(t.nodes)
	t.nodes = append(t.nodes, Node{Type: kind, Size: uint32(size)})
	for range size {
		if err := t.read(in, depth+1); err != nil {
			return err
		}
	}
	t.nodes[at].Bits = uint64(len(t.nodes) - at)
	return nil
}

// AppendRESP appends the batch's requests as they go over the wire.
func (b *Batch) AppendRESP(to []byte) []byte {
	sizes, data := b.sizes, b.data
	for _, shape := range b.shapes {
		to = appendHeader(to, '*', int(shape.arg_count))
		for range int(shape.arg_count) {
			size := int(sizes[0])
			to = append(appendHeader(to, '$', size), data[:size]...)
			to = append(to, "\r\n"...)
			sizes, data = sizes[1:], data[size:]
		}
	}
	return to
}

func appendHeader(to []byte, mark byte, count int) []byte {
	return append(strconv.AppendInt(append(to, mark), int64(count), 10), "\r\n"...)
}
