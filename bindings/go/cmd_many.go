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
	pairCmd[[]string, uint64]
	process func(ctx context.Context, cmd Cmder) error
}

// NewScanCmd makes a command for Process; `process` fetches the iterator's next pages.
func NewScanCmd(ctx context.Context, process func(ctx context.Context, cmd Cmder) error,
	args ...interface{}) *ScanCmd {
	return &ScanCmd{makePair[[]string, uint64](ctx, args), process}
}

// NewScanCmdResult makes a command that has its outcome already, for tests.
func NewScanCmdResult(keys []string, cursor uint64, err error) *ScanCmd {
	cmd := &ScanCmd{}
	cmd.first, cmd.second, cmd.err = keys, cursor, err
	return cmd
}

// String shows the arguments and the page.
func (c *ScanCmd) String() string { return c.show(c.first) }

func (c *ScanCmd) readReply(tape core.Tape) error {
	return eachElement(tape, 0, func(place, at int) (err error) {
		switch place {
		case 0:
			c.second, err = decodeUint(tape, at)
		case 1:
			c.first, err = decodeTexts(tape, at)
		}
		return err
	})
}
