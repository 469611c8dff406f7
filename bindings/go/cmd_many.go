package redis

import (
	"context"

	"tendon.dev/redis/internal/core"
)

// SliceCmd is a command that answers with a list of any values; a missing one is nil.
type SliceCmd struct{ valueCmd[[]interface{}] }

// NewSliceCmd makes a command for Process.
func NewSliceCmd(ctx context.Context, args ...interface{}) *SliceCmd {
	return &SliceCmd{makeValue[[]interface{}](ctx, args)}
}

func (c *SliceCmd) readReply(tape core.Tape) error { return c.read(tape, decodeSlice) }

// Scan fills the tagged fields of a struct with the values of MGET or HMGET, by the names that were
// asked.
func (c *SliceCmd) Scan(to interface{}) error {
	if c.err != nil {
		return c.err
	}
	first := 1
	if c.Name() == "hmget" {
		first = 2
	}
	found := make(map[string]string, len(c.val))
	for i, value := range c.val {
		if text, ok := value.(string); ok && first+i < len(c.args) {
			found[argText(c.args[first+i])] = text
		}
	}
	return scanStruct(to, func(name string) (string, bool) {
		text, ok := found[name]
		return text, ok
	})
}

// StringSliceCmd is a command that answers with a list of strings; a missing one is "".
type StringSliceCmd struct{ valueCmd[[]string] }

// NewStringSliceCmd makes a command for Process.
func NewStringSliceCmd(ctx context.Context, args ...interface{}) *StringSliceCmd {
	return &StringSliceCmd{makeValue[[]string](ctx, args)}
}

func (c *StringSliceCmd) readReply(tape core.Tape) error { return c.read(tape, decodeTexts) }

// ScanSlice converts every element into an element of the slice `to` points to.
func (c *StringSliceCmd) ScanSlice(to interface{}) error {
	if c.err != nil {
		return c.err
	}
	return scanSlice(c.val, to)
}

// IntSliceCmd is a command that answers with a list of integers; a missing one is 0.
type IntSliceCmd struct{ valueCmd[[]int64] }

// NewIntSliceCmd makes a command for Process.
func NewIntSliceCmd(ctx context.Context, args ...interface{}) *IntSliceCmd {
	return &IntSliceCmd{makeValue[[]int64](ctx, args)}
}

func (c *IntSliceCmd) readReply(tape core.Tape) error { return c.read(tape, decodeInts) }

// FloatSliceCmd is a command that answers with a list of numbers; a missing one is 0.
type FloatSliceCmd struct{ valueCmd[[]float64] }

// NewFloatSliceCmd makes a command for Process.
func NewFloatSliceCmd(ctx context.Context, args ...interface{}) *FloatSliceCmd {
	return &FloatSliceCmd{makeValue[[]float64](ctx, args)}
}

func (c *FloatSliceCmd) readReply(tape core.Tape) error {
	return c.read(tape, func(t core.Tape, i int) ([]float64, error) {
		return decodeEach(t, i, decodeFloat)
	})
}

// BoolSliceCmd is a command that answers with a list of yes and no.
type BoolSliceCmd struct{ valueCmd[[]bool] }

// NewBoolSliceCmd makes a command for Process.
func NewBoolSliceCmd(ctx context.Context, args ...interface{}) *BoolSliceCmd {
	return &BoolSliceCmd{makeValue[[]bool](ctx, args)}
}

func (c *BoolSliceCmd) readReply(tape core.Tape) error {
	return c.read(tape, func(t core.Tape, i int) ([]bool, error) {
		return decodeEach(t, i, decodeBool)
	})
}

// MapStringStringCmd is a command that answers with names and values, such as HGETALL.
type MapStringStringCmd struct{ valueCmd[map[string]string] }

// NewMapStringStringCmd makes a command for Process.
func NewMapStringStringCmd(ctx context.Context, args ...interface{}) *MapStringStringCmd {
	return &MapStringStringCmd{makeValue[map[string]string](ctx, args)}
}

func (c *MapStringStringCmd) readReply(tape core.Tape) error { return c.read(tape, decodeMap) }

// Scan fills the tagged fields of a struct by name.
func (c *MapStringStringCmd) Scan(to interface{}) error {
	if c.err != nil {
		return c.err
	}
	return scanStruct(to, func(name string) (string, bool) {
		text, ok := c.val[name]
		return text, ok
	})
}

// StringStructMapCmd is a command that answers with a set, given as a map's keys.
type StringStructMapCmd struct{ valueCmd[map[string]struct{}] }

// NewStringStructMapCmd makes a command for Process.
func NewStringStructMapCmd(ctx context.Context, args ...interface{}) *StringStructMapCmd {
	return &StringStructMapCmd{makeValue[map[string]struct{}](ctx, args)}
}

func (c *StringStructMapCmd) readReply(tape core.Tape) error {
	texts, err := decodeTexts(tape, 0)
	c.val = make(map[string]struct{}, len(texts))
	for _, text := range texts {
		c.val[text] = struct{}{}
	}
	return err
}

// ScanCmd is one page of SCAN and its relatives, and the cursor of the next; 0 ends.
type ScanCmd struct {
	baseCmd
	page    []string
	cursor  uint64
	process func(ctx context.Context, cmd Cmder) error
}

// NewScanCmd makes a command for Process; `process` fetches the iterator's next pages.
func NewScanCmd(ctx context.Context, process func(ctx context.Context, cmd Cmder) error,
	args ...interface{}) *ScanCmd {
	return &ScanCmd{baseCmd: baseCmd{ctx: ctx, args: args}, process: process}
}

// Val is the page and the next cursor.
func (c *ScanCmd) Val() (keys []string, cursor uint64) { return c.page, c.cursor }

// Result is the page, the next cursor and the error.
func (c *ScanCmd) Result() (keys []string, cursor uint64, err error) {
	return c.page, c.cursor, c.err
}

// SetVal sets the page and the cursor, for tests.
func (c *ScanCmd) SetVal(page []string, cursor uint64) { c.page, c.cursor = page, cursor }

// String shows the arguments and the outcome.
func (c *ScanCmd) String() string { return c.show(c.page) }

func (c *ScanCmd) readReply(tape core.Tape) (err error) {
	if !tape.IsAggregate(0) || tape.Size(0) != 2 {
		return unexpected(tape, 0, "a page of a scan")
	}
	cursor, err := decodeText(tape, 1)
	if err != nil {
		return err
	}
	if err := scanText(cursor, &c.cursor); err != nil {
		return err
	}
	c.page, err = decodeTexts(tape, tape.Next(1))
	return err
}

// Z is a member of a sorted set. Its Member is a string in replies.
type Z struct {
	Score  float64
	Member interface{}
}

// ZSliceCmd is a command that answers with members and their scores.
type ZSliceCmd struct{ valueCmd[[]Z] }

// NewZSliceCmd makes a command for Process.
func NewZSliceCmd(ctx context.Context, args ...interface{}) *ZSliceCmd {
	return &ZSliceCmd{makeValue[[]Z](ctx, args)}
}

func (c *ZSliceCmd) readReply(tape core.Tape) error { return c.read(tape, decodeZs) }
