package redis

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"tendon.dev/redis/internal/core"
)

// Cmder is one command with its outcome. Only this package makes them.
type Cmder interface {
	// Name is the command's name in lower case, such as "get".
	Name() string
	// FullName adds the second word of commands that have one, such as "config get".
	FullName() string
	// Args are the command's name and its arguments.
	Args() []interface{}
	// String shows the arguments and the outcome.
	String() string
	// SetErr sets the error of the outcome.
	SetErr(error)
	// Err is the error of the outcome: nil, Nil, a server's Error, or a ClientError.
	Err() error

	command() *baseCmd
	// readReply takes a reply that is not an error. The tape is borrowed.
	readReply(tape core.Tape) error
}

// baseCmd is what all commands share.
type baseCmd struct {
	ctx      context.Context
	args     []interface{}
	err      error
	blocking bool          // the server may hold the reply
	block    time.Duration // for how long; 0 with blocking means without limit
	stateful bool          // it leaves something behind on its connection
}

func (c *baseCmd) command() *baseCmd   { return c }
func (c *baseCmd) Args() []interface{} { return c.args }
func (c *baseCmd) SetErr(err error)    { c.err = err }
func (c *baseCmd) Err() error          { return c.err }

func (c *baseCmd) Name() string {
	if len(c.args) == 0 {
		return ""
	}
	return strings.ToLower(argText(c.args[0]))
}

func (c *baseCmd) FullName() string {
	name := c.Name()
	switch name {
	case "cluster", "command", "config", "client", "memory", "object", "script", "acl", "latency",
		"function",
		"pubsub", "xgroup", "xinfo":
		if second, ok := c.arg(1).(string); ok {
			return name + " " + strings.ToLower(second)
		}
	}
	return name
}

func (c *baseCmd) arg(i int) interface{} {
	if i >= len(c.args) {
		return nil
	}
	return c.args[i]
}

// show is the text of a command for people: its arguments, then its outcome.
func (c *baseCmd) show(value interface{}) string {
	var text strings.Builder
	for i, arg := range c.args {
		if i > 0 {
			text.WriteByte(' ')
		}
		text.WriteString(argText(arg))
	}
	if c.err != nil {
		return text.String() + ": " + c.err.Error()
	}
	if value != nil {
		fmt.Fprintf(&text, ": %v", value)
	}
	return text.String()
}

// settle gives a command its reply: the one place where a server's error becomes the command's.
func settle(cmd Cmder, tape core.Tape) {
	if tape.Type(0) == core.NodeError {
		cmd.SetErr(serverError(tape.Text(0)))
		return
	}
	cmd.SetErr(cmd.readReply(tape))
}

// valueCmd is a command whose outcome is one Go value.
type valueCmd[T any] struct {
	baseCmd
	val T
}

// Val is the value, or the zero value after an error.
func (c *valueCmd[T]) Val() T { return c.val }

// Result is the value and the error.
func (c *valueCmd[T]) Result() (T, error) { return c.val, c.err }

// SetVal sets the value, for tests.
func (c *valueCmd[T]) SetVal(val T) { c.val = val }

// String shows the arguments and the outcome.
func (c *valueCmd[T]) String() string { return c.show(c.val) }

// read stores what `decode` makes of the root of the tape.
func (c *valueCmd[T]) read(tape core.Tape, decode func(core.Tape, int) (T, error)) (err error) {
	c.val, err = decode(tape, 0)
	return err
}

func makeValue[T any](ctx context.Context, args []interface{}) valueCmd[T] {
	return valueCmd[T]{baseCmd: baseCmd{ctx: ctx, args: args}}
}

// StatusCmd is a command that answers with a word, usually OK.
type StatusCmd struct{ valueCmd[string] }

// NewStatusCmd makes a command for Process.
func NewStatusCmd(ctx context.Context, args ...interface{}) *StatusCmd {
	return &StatusCmd{makeValue[string](ctx, args)}
}

func (c *StatusCmd) readReply(tape core.Tape) error { return c.read(tape, decodeText) }

// Bytes is the word as bytes.
func (c *StatusCmd) Bytes() ([]byte, error) { return []byte(c.val), c.err }

// IntCmd is a command that answers with an integer.
type IntCmd struct{ valueCmd[int64] }

// NewIntCmd makes a command for Process.
func NewIntCmd(ctx context.Context, args ...interface{}) *IntCmd {
	return &IntCmd{makeValue[int64](ctx, args)}
}

func (c *IntCmd) readReply(tape core.Tape) error { return c.read(tape, decodeInt) }

// Uint64 is the value as an unsigned number.
func (c *IntCmd) Uint64() (uint64, error) { return uint64(c.val), c.err }

// FloatCmd is a command that answers with a number.
type FloatCmd struct{ valueCmd[float64] }

// NewFloatCmd makes a command for Process.
func NewFloatCmd(ctx context.Context, args ...interface{}) *FloatCmd {
	return &FloatCmd{makeValue[float64](ctx, args)}
}

func (c *FloatCmd) readReply(tape core.Tape) error { return c.read(tape, decodeFloat) }

// BoolCmd is a command that answers yes or no. A null, as of SET NX, is no.
type BoolCmd struct{ valueCmd[bool] }

// NewBoolCmd makes a command for Process.
func NewBoolCmd(ctx context.Context, args ...interface{}) *BoolCmd {
	return &BoolCmd{makeValue[bool](ctx, args)}
}

func (c *BoolCmd) readReply(tape core.Tape) error {
	if tape.Type(0) == core.NodeNull {
		c.val = false
		return nil
	}
	return c.read(tape, decodeBool)
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

func (c *DurationCmd) readReply(tape core.Tape) error {
	number, err := decodeInt(tape, 0)
	if c.val = time.Duration(number); number >= 0 {
		c.val *= c.unit
	}
	return err
}

// TimeCmd is TIME's answer.
type TimeCmd struct{ valueCmd[time.Time] }

// NewTimeCmd makes a command for Process.
func NewTimeCmd(ctx context.Context, args ...interface{}) *TimeCmd {
	return &TimeCmd{makeValue[time.Time](ctx, args)}
}

func (c *TimeCmd) readReply(tape core.Tape) error {
	parts, err := decodeInts(tape, 0)
	if err != nil {
		return err
	}
	if len(parts) != 2 {
		return unexpected(tape, 0, "a time")
	}
	c.val = time.Unix(parts[0], parts[1]*int64(time.Microsecond))
	return nil
}

// StringCmd is a command that answers with a string of any bytes.
type StringCmd struct{ valueCmd[string] }

// NewStringCmd makes a command for Process.
func NewStringCmd(ctx context.Context, args ...interface{}) *StringCmd {
	return &StringCmd{makeValue[string](ctx, args)}
}

func (c *StringCmd) readReply(tape core.Tape) error { return c.read(tape, decodeText) }

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
