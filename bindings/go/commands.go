package redis

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// KeepTTL, as the expiration of Set, SetNX or SetXX, keeps the expiration the key has.
const KeepTTL = -1

// XTrimLimitDisabled, as the limit of a trimmed stream, lets the server remove any number.
const XTrimLimitDisabled = -1

// Units of BitCount.
const (
	BitCountIndexByte = "BYTE"
	BitCountIndexBit  = "BIT"
)

// cmdable is everything that runs one command: the commands are its methods. It returns the error
// that it has also set on the command.
type cmdable func(ctx context.Context, cmd Cmder) error

// statefulCmdable is everything that runs commands which leave something behind on their
// connection.
type statefulCmdable func(ctx context.Context, cmd Cmder) error

// run runs a command and hands it back, so that each command's method is one line.
func run[C Cmder](ctx context.Context, c cmdable, cmd C) C {
	if c == nil {
		cmd.SetErr(errNotMade)
		return cmd
	}
	_ = c(ctx, cmd)
	return cmd
}

// runBlocking runs a command whose reply the server may hold for `block`: without limit when it is
// 0, and not at all when it is negative.
func runBlocking[C Cmder](ctx context.Context, c cmdable, block time.Duration, cmd C) C {
	base := cmd.command()
	base.blocking, base.block = block >= 0, max(block, 0)
	return run(ctx, c, cmd)
}

func runStateful[C Cmder](ctx context.Context, c statefulCmdable, cmd C) C {
	cmd.command().stateful = true
	return run(ctx, cmdable(c), cmd)
}

// refused is the outcome of a command that is not sent because of its arguments.
func refused[C Cmder](cmd C, err error) C {
	cmd.SetErr(err)
	return cmd
}

// Do runs any command by name.
func (c cmdable) Do(ctx context.Context, args ...interface{}) *Cmd {
	return run(ctx, c, NewCmd(ctx, args...))
}

// DoRaw runs any command by name and answers with the reply as RESP3 spells it.
func (c cmdable) DoRaw(ctx context.Context, args ...interface{}) *RawCmd {
	return run(ctx, c, NewRawCmd(ctx, args...))
}

// DoRawWriteTo runs any command by name and writes the reply to w as RESP3 spells it.
func (c cmdable) DoRawWriteTo(ctx context.Context, w io.Writer,
	args ...interface{}) *RawWriteToCmd {
	return run(ctx, c, NewRawWriteToCmd(ctx, w, args...))
}

// Quit panics, as in go-redis: Close is how a client ends.
func (c cmdable) Quit(context.Context) *StatusCmd { panic("redis: Quit is not implemented") }

// Sync panics, as in go-redis: a client is no replica.
func (c cmdable) Sync(context.Context) { panic("redis: Sync is not implemented") }

// GetToBuffer reads the value of a key into buf, which must be large enough; redis.Nil when the key
// is missing.
func (c cmdable) GetToBuffer(ctx context.Context, key string, buf []byte) *ZeroCopyStringCmd {
	return run(ctx, c, NewZeroCopyStringCmd(ctx, buf, "get", key))
}

func tooSmall(have, need int) error {
	return fmt.Errorf("redis: the buffer has room for %d bytes, the value has %d", have, need)
}

// ClientTracking turns tracking on or off for its connection, which only a Conn or Tx keeps.
func (c cmdable) ClientTracking(ctx context.Context, on bool,
	opt *ClientTrackingOptions) *StatusCmd {
	if on {
		return c.ClientTrackingOn(ctx, opt)
	}
	return c.ClientTrackingOff(ctx)
}

// Shutdown stops the server; no error when it went down.
func (c cmdable) Shutdown(ctx context.Context) *StatusCmd { return c.shutdown(ctx, "shutdown") }

// ShutdownSave saves and stops the server; no error when it went down.
func (c cmdable) ShutdownSave(ctx context.Context) *StatusCmd {
	return c.shutdown(ctx, "shutdown", "save")
}

// ShutdownNoSave stops the server without saving; no error when it went down.
func (c cmdable) ShutdownNoSave(ctx context.Context) *StatusCmd {
	return c.shutdown(ctx, "shutdown", "nosave")
}

// shutdown takes the lost connection for success, and an answer for the reason of a failure.
func (c cmdable) shutdown(ctx context.Context, args ...interface{}) *StatusCmd {
	cmd := run(ctx, c, NewStatusCmd(ctx, args...))
	switch err := cmd.Err(); {
	case errors.Is(err, io.EOF):
		cmd.SetErr(nil)
	case err == nil && cmd.val != "":
		cmd.SetErr(errors.New("redis: the server did not shut down: " + cmd.val))
		cmd.val = ""
	}
	return cmd
}

// LibraryInfo is what ClientSetInfo tells the server: one of the two.
type LibraryInfo struct {
	LibName *string
	LibVer  *string
}

// Validate refuses a LibraryInfo that sets both fields, or none.
func (info LibraryInfo) Validate() error {
	if (info.LibName == nil) == (info.LibVer == nil) {
		return errors.New("redis: LibraryInfo needs exactly one of LibName and LibVer")
	}
	return nil
}

// ClientSetInfo tells the server about the library on this connection. It panics unless exactly one
// field is set.
func (c statefulCmdable) ClientSetInfo(ctx context.Context, info LibraryInfo) *StatusCmd {
	if err := info.Validate(); err != nil {
		panic(err.Error())
	}
	name, value := "lib-name", info.LibName
	if value == nil {
		name, value = "lib-ver", info.LibVer
	}
	return runStateful(ctx, c, NewStatusCmd(ctx, "client", "setinfo", name, *value))
}
