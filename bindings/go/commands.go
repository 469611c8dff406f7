package redis

import (
	"context"
	"time"
)

// KeepTTL, as the expiration of Set, SetNX or SetXX, keeps the expiration the key has.
const KeepTTL = -1

// cmdable is everything that runs one command: the commands are its methods. It returns the error
// that it has also set on the command.
type cmdable func(ctx context.Context, cmd Cmder) error

// run runs a command and hands it back, so that each command's method is one line.
func run[C Cmder](ctx context.Context, c cmdable, cmd C) C {
	if c == nil {
		cmd.SetErr(errNotMade)
		return cmd
	}
	_ = c(ctx, cmd)
	return cmd
}

// runBlocking runs a command whose reply the server may hold for `block`, or without limit when it
// is 0.
func runBlocking[C Cmder](ctx context.Context, c cmdable, block time.Duration, cmd C) C {
	base := cmd.command()
	base.blocking, base.block = true, max(block, 0)
	return run(ctx, c, cmd)
}

// needsMillis says whether whole seconds cannot express a duration.
func needsMillis(d time.Duration) bool { return d < time.Second || d%time.Second != 0 }

// wholeMillis and wholeSeconds round a positive time that is too short up to one unit, since 0
// would mean something else.
func wholeMillis(d time.Duration) int64 { return wholeUnits(d, time.Millisecond) }

func wholeSeconds(d time.Duration) int64 { return wholeUnits(d, time.Second) }

func wholeUnits(d, unit time.Duration) int64 {
	if d > 0 && d < unit {
		return 1
	}
	return int64(d / unit)
}

// appendExpiry adds EX or PX, whichever keeps the precision; a time of 0 or less adds nothing.
func appendExpiry(args []interface{}, d time.Duration) []interface{} {
	switch {
	case d <= 0:
		return args
	case needsMillis(d):
		return append(args, "px", wholeMillis(d))
	}
	return append(args, "ex", wholeSeconds(d))
}

// Ping answers PONG.
func (c cmdable) Ping(ctx context.Context) *StatusCmd {
	return run(ctx, c, NewStatusCmd(ctx, "ping"))
}

// Echo answers with the message.
func (c cmdable) Echo(ctx context.Context, message interface{}) *StringCmd {
	return run(ctx, c, NewStringCmd(ctx, "echo", message))
}

// Do runs any command by name.
func (c cmdable) Do(ctx context.Context, args ...interface{}) *Cmd {
	return run(ctx, c, NewCmd(ctx, args...))
}
