package redis

import (
	"context"
	"io"
	"time"

	"tendon.dev/redis/internal/core"
)

// Bytes is the word as bytes.
func (c *StatusCmd) Bytes() ([]byte, error) { return []byte(c.val), c.err }

// Uint64 is the value as an unsigned number.
func (c *IntCmd) Uint64() (uint64, error) { return uint64(c.val), c.err }

// Bytes is the value as bytes of its own.
func (c *StringCmd) Bytes() ([]byte, error) {
	if c.err != nil {
		return nil, c.err
	}
	return []byte(c.val), nil
}

// Time parses the value as RFC 3339.
func (c *StringCmd) Time() (time.Time, error) {
	return parse(c, func(text string) (time.Time, error) {
		return time.Parse(time.RFC3339Nano, text)
	})
}

// Scan converts the value into what `to` points to.
func (c *StringCmd) Scan(to interface{}) error {
	if c.err != nil {
		return c.err
	}
	return scanText(c.val, to)
}

func parse[T any](c *StringCmd, convert func(string) (T, error)) (T, error) {
	if c.err != nil {
		var zero T
		return zero, c.err
	}
	return convert(c.val)
}

// DurationCmd is a command that answers with a time in a fixed unit; -1 and -2 keep the server's
// meaning.
type DurationCmd struct {
	valueCmd[time.Duration]
	unit time.Duration
}

// NewDurationCmd makes a command for Process.
func NewDurationCmd(ctx context.Context, unit time.Duration, args ...interface{}) *DurationCmd {
	return &DurationCmd{makeValue[time.Duration](ctx, args), unit}
}

// NewDurationResult makes a command that has its outcome already, for tests.
func NewDurationResult(val time.Duration, err error) *DurationCmd {
	cmd := &DurationCmd{}
	cmd.val, cmd.err = val, err
	return cmd
}

func (c *DurationCmd) readReply(tape core.Tape) error {
	number, err := decodeInt(tape, 0)
	if c.val = time.Duration(number); number >= 0 {
		c.val *= c.unit
	}
	return err
}

// NewGeoLocationCmd makes a command for Process; what `q` asks is added to the arguments.
func NewGeoLocationCmd(ctx context.Context, q *GeoRadiusQuery,
	args ...interface{}) *GeoLocationCmd {
	return &GeoLocationCmd{makeValue[[]GeoLocation](ctx, q.appendTo(args))}
}

// NewGeoSearchLocationCmd makes a command for Process; what `q` asks is added to the arguments.
func NewGeoSearchLocationCmd(ctx context.Context, q *GeoSearchLocationQuery,
	args ...interface{}) *GeoSearchLocationCmd {
	return &GeoSearchLocationCmd{makeValue[[]GeoLocation](ctx, q.appendTo(args))}
}

// Item is one field of a section of INFO, "" when there is none.
func (c *InfoCmd) Item(section, key string) string { return c.val[section][key] }

// First is the first library, or Nil when there is none.
func (c *FunctionListCmd) First() (*Library, error) {
	if c.err != nil {
		return nil, c.err
	}
	if len(c.val) == 0 {
		return nil, Nil
	}
	return &c.val[0], nil
}

// ZeroCopyStringCmd is a GET into memory of the caller's; its value is how many bytes were written.
type ZeroCopyStringCmd struct {
	valueCmd[int]
	buf []byte
}

// NewZeroCopyStringCmd makes a command for Process.
func NewZeroCopyStringCmd(ctx context.Context, buf []byte,
	args ...interface{}) *ZeroCopyStringCmd {
	return &ZeroCopyStringCmd{makeValue[int](ctx, args), buf}
}

// Bytes is the part of the buffer that was written.
func (c *ZeroCopyStringCmd) Bytes() []byte { return c.buf[:c.val] }

// NoRetry is true: the buffer may have been written to.
func (c *ZeroCopyStringCmd) NoRetry() bool { return true }

func (c *ZeroCopyStringCmd) readReply(tape core.Tape) error {
	if err := nested(tape, 0); err != nil {
		return err
	}
	if !tape.IsText(0) {
		return unexpected(tape, 0, "string")
	}
	if tape.Size(0) > len(c.buf) {
		return tooSmall(len(c.buf), tape.Size(0))
	}
	c.val = tape.CopyText(0, c.buf)
	return nil
}

// RawCmd is a command whose reply is not decoded.
type RawCmd struct{ valueCmd[[]byte] }

// NewRawCmd makes a command for Process.
func NewRawCmd(ctx context.Context, args ...interface{}) *RawCmd {
	return &RawCmd{makeValue[[]byte](ctx, args)}
}

// Bytes is the reply as RESP3 spells it, and the error.
func (c *RawCmd) Bytes() ([]byte, error) { return c.val, c.err }

func (c *RawCmd) readReply(tape core.Tape) error {
	c.val = appendRESP(nil, tape, 0)
	return nil
}

// RawWriteToCmd is a command whose reply is written as it is.
type RawWriteToCmd struct {
	valueCmd[int64]
	to io.Writer
}

// NewRawWriteToCmd makes a command for Process.
func NewRawWriteToCmd(ctx context.Context, w io.Writer, args ...interface{}) *RawWriteToCmd {
	return &RawWriteToCmd{makeValue[int64](ctx, args), w}
}

// NoRetry is true: what was written cannot be taken back.
func (c *RawWriteToCmd) NoRetry() bool { return true }

func (c *RawWriteToCmd) readReply(tape core.Tape) error {
	n, err := c.to.Write(appendRESP(nil, tape, 0))
	c.val = int64(n)
	return err
}
