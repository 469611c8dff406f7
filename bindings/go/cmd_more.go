package redis

import (
	"context"
	"io"
	"strconv"
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

// Bool parses the value with strconv.ParseBool.
func (c *StringCmd) Bool() (bool, error) { return parse(c, strconv.ParseBool) }

// Int parses the value as a decimal number.
func (c *StringCmd) Int() (int, error) { return parse(c, strconv.Atoi) }

// Int64 parses the value as a decimal number.
func (c *StringCmd) Int64() (int64, error) {
	return parse(c, func(text string) (int64, error) { return strconv.ParseInt(text, 10, 64) })
}

// Uint64 parses the value as a decimal number.
func (c *StringCmd) Uint64() (uint64, error) {
	return parse(c, func(text string) (uint64, error) { return strconv.ParseUint(text, 10, 64) })
}

// Float32 parses the value as a number.
func (c *StringCmd) Float32() (float32, error) {
	number, err := parse(c, func(text string) (float64, error) {
		return strconv.ParseFloat(text, 32)
	})
	return float32(number), err
}

// Float64 parses the value as a number.
func (c *StringCmd) Float64() (float64, error) {
	return parse(c, func(text string) (float64, error) { return strconv.ParseFloat(text, 64) })
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

// NewXInfoGroupsCmd makes a command for Process.
func NewXInfoGroupsCmd(ctx context.Context, stream string) *XInfoGroupsCmd {
	return &XInfoGroupsCmd{makeValue[[]XInfoGroup](ctx, []interface{}{"xinfo", "groups", stream})}
}

// NewXInfoStreamCmd makes a command for Process.
func NewXInfoStreamCmd(ctx context.Context, stream string) *XInfoStreamCmd {
	return &XInfoStreamCmd{makeValue[*XInfoStream](ctx, []interface{}{"xinfo", "stream", stream})}
}

// NewXInfoConsumersCmd makes a command for Process.
func NewXInfoConsumersCmd(ctx context.Context, stream string, group string) *XInfoConsumersCmd {
	args := []interface{}{"xinfo", "consumers", stream, group}
	return &XInfoConsumersCmd{makeValue[[]XInfoConsumer](ctx, args)}
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

// ZeroCopyStringCmd is a GET into memory of the caller's.
type ZeroCopyStringCmd struct {
	baseCmd
	buf []byte
	n   int
}

// NewZeroCopyStringCmd makes a command for Process.
func NewZeroCopyStringCmd(ctx context.Context, buf []byte,
	args ...interface{}) *ZeroCopyStringCmd {
	return &ZeroCopyStringCmd{baseCmd: baseCmd{ctx: ctx, args: args}, buf: buf}
}

// Val is how many bytes were written into the buffer.
func (c *ZeroCopyStringCmd) Val() int { return c.n }

// Result is how many bytes were written into the buffer, and the error.
func (c *ZeroCopyStringCmd) Result() (int, error) { return c.n, c.err }

// Bytes is the part of the buffer that was written.
func (c *ZeroCopyStringCmd) Bytes() []byte { return c.buf[:c.n] }

// SetVal sets how many bytes were written, for tests.
func (c *ZeroCopyStringCmd) SetVal(n int) { c.n = n }

// String shows the arguments and the outcome.
func (c *ZeroCopyStringCmd) String() string { return c.show(c.n) }

// NoRetry is true: the buffer may have been written to.
func (c *ZeroCopyStringCmd) NoRetry() bool { return true }

func (c *ZeroCopyStringCmd) readReply(tape core.Tape) error {
	if err := nested(tape, 0); err != nil {
		return err
	}
	if !tape.IsText(0) {
		return unexpected(tape, 0, "a string")
	}
	if tape.Size(0) > len(c.buf) {
		return tooSmall(len(c.buf), tape.Size(0))
	}
	c.n = tape.CopyText(0, c.buf)
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
