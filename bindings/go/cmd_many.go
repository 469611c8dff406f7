package redis

import (
	"context"

	"tendon.dev/redis/internal/core"
)

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

// ScanSlice converts every element into an element of the slice `to` points to.
func (c *StringSliceCmd) ScanSlice(to interface{}) error {
	if c.err != nil {
		return c.err
	}
	return scanSlice(c.val, to)
}

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

// NewScanCmdResult makes a command that has its outcome already, for tests.
func NewScanCmdResult(keys []string, cursor uint64, err error) *ScanCmd {
	return &ScanCmd{baseCmd: baseCmd{err: err}, page: keys, cursor: cursor}
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
