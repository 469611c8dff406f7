package redis

import (
	"context"
	"fmt"
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
	// Clone copies the command.
	Clone() Cmder
	// GetCmdType names the type of the command.
	GetCmdType() CmdType
	// NoRetry says whether the outcome cannot be taken back once it was begun.
	NoRetry() bool
	// SetFirstKeyPos and SetStepCount exist for compatibility and change nothing: libtendon knows
	// where the keys of commands are, takes the first argument of a command it does not know for
	// one, and follows the server's MOVED when that was wrong.
	SetFirstKeyPos(int8)
	SetStepCount(int8)

	command() *baseCmd
	// readReply takes a reply that is not an error. The tape is borrowed.
	readReply(tape core.Tape) error
}

// CmdType names the types of commands.
type CmdType uint8

// baseCmd is what all commands share.
type baseCmd struct {
	ctx      context.Context
	args     []interface{}
	err      error
	blocking bool          // the server may hold the reply
	block    time.Duration // for how long; 0 with blocking means without limit
	stateful bool          // it leaves something behind on its connection

	room [3]interface{} // for args, so that few need no memory of their own
}

// begin gives a new command its arguments. They are copied, so that the caller's list can live on
// its stack.
func (c *baseCmd) begin(ctx context.Context, args []interface{}) {
	c.ctx = ctx
	c.args = append(c.room[:0], args...)
}

func (c *baseCmd) command() *baseCmd   { return c }
func (c *baseCmd) Args() []interface{} { return c.args }
func (c *baseCmd) SetErr(err error)    { c.err = err }
func (c *baseCmd) Err() error          { return c.err }

// NoRetry is false for all commands but those that write to memory of the caller's.
func (c *baseCmd) NoRetry() bool { return false }

// SetFirstKeyPos changes nothing; see Cmder.
func (c *baseCmd) SetFirstKeyPos(int8) {}

// SetStepCount changes nothing; see Cmder.
func (c *baseCmd) SetStepCount(int8) {}

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

// unnamed is the error of a command without a name, which libtendon does not send. An empty name
// has the error that servers answer with.
func (c *baseCmd) unnamed() error {
	if len(c.args) == 0 {
		return errNoCommand
	}
	switch name := c.args[0].(type) {
	case nil:
	case []byte:
		if len(name) > 0 {
			return nil
		}
	default:
		if name != "" {
			return nil
		}
	}
	text := "ERR unknown command '', with args beginning with: "
	for _, arg := range c.args[1:] {
		text += "'" + argText(arg) + "' "
	}
	return refusedError{serverError(text)}
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

// pairCmd is a command whose outcome is two Go values.
type pairCmd[A, B any] struct {
	baseCmd
	first  A
	second B
}

// Val is the values, or their zero values after an error.
func (c *pairCmd[A, B]) Val() (A, B) { return c.first, c.second }

// Result is the values and the error.
func (c *pairCmd[A, B]) Result() (A, B, error) { return c.first, c.second, c.err }

// SetVal sets the values, for tests.
func (c *pairCmd[A, B]) SetVal(first A, second B) { c.first, c.second = first, second }

// String shows the arguments and the outcome.
func (c *pairCmd[A, B]) String() string { return c.show([]interface{}{c.first, c.second}) }

func makePair[A, B any](ctx context.Context, args []interface{}) pairCmd[A, B] {
	return pairCmd[A, B]{baseCmd: baseCmd{ctx: ctx, args: args}}
}

// tripleCmd is a command whose outcome is three Go values.
type tripleCmd[A, B, C any] struct {
	baseCmd
	first  A
	second B
	third  C
}

// Val is the values, or their zero values after an error.
func (c *tripleCmd[A, B, C]) Val() (A, B, C) { return c.first, c.second, c.third }

// Result is the values and the error.
func (c *tripleCmd[A, B, C]) Result() (A, B, C, error) {
	return c.first, c.second, c.third, c.err
}

// SetVal sets the values, for tests.
func (c *tripleCmd[A, B, C]) SetVal(first A, second B, third C) {
	c.first, c.second, c.third = first, second, third
}

// String shows the arguments and the outcome.
func (c *tripleCmd[A, B, C]) String() string {
	return c.show([]interface{}{c.first, c.second, c.third})
}

func makeTriple[A, B, C any](ctx context.Context, args []interface{}) tripleCmd[A, B, C] {
	return tripleCmd[A, B, C]{baseCmd: baseCmd{ctx: ctx, args: args}}
}
