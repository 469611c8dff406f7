package redis

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"tendon.dev/redis/internal/core"
)

// Error is every error reply of a server, and Nil.
type Error interface {
	error
	// RedisError marks the type; it does nothing.
	RedisError()
}

// serverError is the exact line a server answered. It is comparable, so Nil works with ==.
type serverError string

func (e serverError) Error() string { return string(e) }

// RedisError implements Error.
func (e serverError) RedisError() {}

// Executed is no when the server refused the command, else unknown.
func (e serverError) Executed() Executed {
	code, _, _ := strings.Cut(string(e), " ")
	if refusalCodes[code] {
		return ExecutedNo
	}
	return ExecutedUnknown
}

// refusedError is a server's error for what it did not even begin to execute, whatever its code.
type refusedError struct{ serverError }

// Executed is no.
func (refusedError) Executed() Executed { return ExecutedNo }

// Unwrap gives the error itself, for errors.Is.
func (e refusedError) Unwrap() error { return e.serverError }

const (
	// Nil is the result of a key, field or member that does not exist.
	Nil = serverError("redis: nil")
	// TxFailedErr is the result of a transaction whose watched keys have changed.
	TxFailedErr = serverError("redis: transaction failed")
	// ErrCrossSlot is the result of a command or transaction whose keys are in different slots.
	ErrCrossSlot = serverError("CROSSSLOT Keys in request don't hash to the same slot")
	// ErrNoScript is the result of running a script by a hash that the server does not know.
	ErrNoScript = serverError("NOSCRIPT No matching script. Please use EVAL.")

	// errAborted is what a server answers to EXEC when it has refused one of the commands.
	errAborted = serverError("EXECABORT Transaction discarded because of previous errors.")
)

// Executed says whether the command of a failed call was executed by a server.
type Executed uint32

// The values of Executed.
const (
	ExecutedNo      Executed = core.ExecutedNo      // provably not
	ExecutedYes     Executed = core.ExecutedYes     // it was; what failed came after
	ExecutedUnknown Executed = core.ExecutedUnknown // sent, and no answer seen
)

// String is "no", "yes" or "unknown".
func (e Executed) String() string {
	switch e {
	case ExecutedNo:
		return "no"
	case ExecutedYes:
		return "yes"
	}
	return "unknown"
}

// ClientError is every failure that is not a server's reply to the command: no connection, a lost
// one, a deadline, a wrong option. It implements net.Error. errors.Is finds the sentinels of this
// package, io.EOF for a lost connection, os.ErrDeadlineExceeded for a timeout, and the error of a
// context that ended.
type ClientError struct {
	Status   string        // the name in docs/errors.md, such as "CONNECT_TIMEOUT"
	Message  string        // the cause and the remedy
	Node     string        // "host:port" the last attempt went to, or ""
	Attempts int           // how often the command was tried
	Elapsed  time.Duration // from the call to the failure

	executed Executed
	timeout  bool
	causes   []error
}

// Errors without details of a call. They are compared with errors.Is or ==.
var (
	// ErrClosed is the result of using a closed client.
	ErrClosed error = &ClientError{Status: "CLOSED", executed: ExecutedNo,
		Message: "client is closed; make a new one with NewClient"}
	// ErrPoolTimeout is the result of waiting longer than PoolTimeout for a connection.
	ErrPoolTimeout error = &ClientError{Status: "POOL_TIMEOUT", executed: ExecutedNo, timeout: true,
		Message: "connection pool timeout; raise PoolSize or hold connections for less time"}
	// ErrPoolExhausted is the result of needing more connections than MaxActiveConns.
	ErrPoolExhausted error = &ClientError{Status: "POOL_EXHAUSTED", executed: ExecutedNo,
		Message: "connection pool exhausted; raise MaxActiveConns"}
)

// Error is the message after "redis: ".
func (e *ClientError) Error() string { return "redis: " + e.Message }

// Executed says whether the command was executed.
func (e *ClientError) Executed() Executed { return e.executed }

// Timeout implements net.Error.
func (e *ClientError) Timeout() bool { return e.timeout }

// Temporary implements net.Error: whether the same call may work later without any change to the
// program.
func (e *ClientError) Temporary() bool {
	switch e.Status {
	case "ARGUMENT", "CLOSED", "CONFIG", "URL", "TLS_CONFIG", "TLS_CERTIFICATE", "TLS_HOSTNAME",
		"AUTH",
		"UNSUPPORTED", "CROSSSLOT", "LIMIT":
		return false
	}
	return true
}

// Unwrap gives the errors this one stands for.
func (e *ClientError) Unwrap() []error { return e.causes }

func configError(message string) error {
	return &ClientError{Status: "CONFIG", Message: message, executed: ExecutedNo}
}

func unsupported(what, instead string) error {
	return &ClientError{Status: "UNSUPPORTED", executed: ExecutedNo,
		Message: fmt.Sprintf("%s is not supported: %s", what, instead)}
}

var errNoCommand = errors.New("redis: please enter the command to be executed")

var errNotMade = &ClientError{Status: "ARGUMENT", executed: ExecutedNo,
	Message: "this client was not made by a constructor; use NewClient or NewClusterClient"}

// plainError turns a failure into an error without regard to a context.
func plainError(failure *core.Failure) *ClientError {
	e := &ClientError{
		Status:   core.StatusName(failure.Status),
		Message:  failure.Message,
		Node:     failure.Node,
		Attempts: int(failure.Attempts),
		Elapsed:  failure.Elapsed,
		executed: Executed(failure.Executed),
	}
	switch failure.Status {
	case core.StatusClosed:
		e.causes = []error{ErrClosed}
	case core.StatusPoolTimeout:
		e.timeout, e.causes = true, []error{ErrPoolTimeout}
	case core.StatusPoolExhausted:
		e.causes = []error{ErrPoolExhausted}
	case core.StatusTimeout, core.StatusDialTimeout:
		e.timeout, e.causes = true, []error{os.ErrDeadlineExceeded}
	case core.StatusDisconnected:
		e.causes = []error{io.EOF}
	case core.StatusCrossSlot:
		e.causes = []error{ErrCrossSlot}
	}
	if failure.Prefix != "" {
		e.causes = append(e.causes, serverError(serverLine(failure)))
	}
	return e
}

// serverLine is the server's own text inside a failure: from its prefix on.
func serverLine(failure *core.Failure) string {
	if at := strings.Index(failure.Message, failure.Prefix+" "); at >= 0 {
		return failure.Message[at:]
	}
	return failure.Prefix
}

// callError is the error of a call that was made with ctx. `hurried` says that the deadline given
// to the core was that of ctx. The sentinels themselves are returned where nothing was sent, since
// programs written for go-redis compare them with ==.
func callError(ctx context.Context, failure *core.Failure, hurried bool) error {
	e := plainError(failure)
	cause := ctx.Err()
	if cause == nil && hurried && e.timeout {
		cause = context.DeadlineExceeded
	}
	if cause != nil && (e.timeout || failure.Status == core.StatusCancelled) {
		e.causes = append([]error{cause}, e.causes...)
		e.timeout = errors.Is(cause, context.DeadlineExceeded)
		e.Message = cause.Error() + ": " + e.Message
		return e
	}
	if e.executed != ExecutedNo {
		return e
	}
	switch failure.Status {
	case core.StatusClosed:
		return ErrClosed
	case core.StatusPoolTimeout:
		return ErrPoolTimeout
	case core.StatusPoolExhausted:
		return ErrPoolExhausted
	}
	return e
}

// HasErrorPrefix says whether err is a server's error that begins with prefix, such as "BUSYGROUP".
func HasErrorPrefix(err error, prefix string) bool {
	var reply Error
	if !errors.As(err, &reply) {
		return false
	}
	text := reply.Error()
	cause := strings.TrimPrefix(text, "ERR ")
	return strings.HasPrefix(text, prefix) || strings.HasPrefix(cause, prefix)
}

// IsMovedError says whether a server named another node for the slot, and which.
func IsMovedError(err error) (addr string, ok bool) { return redirection(err, "MOVED ") }

// IsAskError says whether a server named another node for this command, and which.
func IsAskError(err error) (addr string, ok bool) { return redirection(err, "ASK ") }

// redirection is the last word of "MOVED slot host:port".
func redirection(err error, prefix string) (addr string, ok bool) {
	var reply Error
	if !errors.As(err, &reply) || !strings.HasPrefix(reply.Error(), prefix) {
		return "", false
	}
	line := reply.Error()
	return line[strings.LastIndexByte(line, ' ')+1:], true
}
