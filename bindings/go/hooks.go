package redis

import (
	"context"
	"net"
	"reflect"
	"sync"
	"sync/atomic"
)

// DialHook makes a connection.
type DialHook func(ctx context.Context, network, addr string) (net.Conn, error)

// ProcessHook runs a command and returns its error.
type ProcessHook func(ctx context.Context, cmd Cmder) error

// ProcessPipelineHook runs the commands of a pipeline, or of a transaction with its MULTI and EXEC,
// and returns the first error.
type ProcessPipelineHook func(ctx context.Context, cmds []Cmder) error

// Hook wraps what a client does: each method is given the next step and returns what runs instead
// of it, usually a function that calls it. The hook added first is the outermost.
type Hook interface {
	DialHook(next DialHook) DialHook
	ProcessHook(next ProcessHook) ProcessHook
	ProcessPipelineHook(next ProcessPipelineHook) ProcessPipelineHook
}

// steps are what hooks wrap.
type steps struct {
	process  ProcessHook
	pipeline ProcessPipelineHook
	tx       ProcessPipelineHook
}

// hooks are those of one handle, around its steps.
type hooks struct {
	own   steps
	dials *engine // which makes connections; nil where DialHook has none to wrap

	mutex   sync.Mutex
	list    []Hook
	wrapped atomic.Pointer[steps] // nil without hooks, which costs next to nothing
}

// derive makes the hooks of a handle that was made from this one: the same, around other steps.
func (h *hooks) derive(own steps) *hooks {
	made := &hooks{own: own}
	if h == nil {
		return made
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	made.list = append(made.list, h.list...)
	made.wrap()
	return made
}

// AddHook adds a hook inside of those already there. DialHook counts before the first command only:
// libtendon makes the connections, unless a hook that wants to is there in time.
func (h *hooks) AddHook(hook Hook) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.list = append(h.list, hook)
	h.wrap()
	if wrapsDial(hook) {
		h.dials.dialThrough(h.list)
	}
}

// wrap builds the chains anew. The caller holds the mutex, or nobody else knows the hooks yet.
func (h *hooks) wrap() {
	if len(h.list) == 0 {
		return
	}
	wrapped := &steps{process: h.own.process, pipeline: h.own.pipeline,
		tx: func(ctx context.Context, cmds []Cmder) error {
			return h.own.tx(ctx, cmds[1:len(cmds)-1])
		}}
	for i := len(h.list) - 1; i >= 0; i-- {
		wrapped.process = h.list[i].ProcessHook(wrapped.process)
		wrapped.pipeline = h.list[i].ProcessPipelineHook(wrapped.pipeline)
		wrapped.tx = h.list[i].ProcessPipelineHook(wrapped.tx)
	}
	h.wrapped.Store(wrapped)
}

// Process runs a command made by one of the New...Cmd functions.
func (h *hooks) Process(ctx context.Context, cmd Cmder) error { return h.process(ctx, cmd) }

// Pipeline queues commands to send them together; in a cluster each goes to its node.
func (h *hooks) Pipeline() Pipeliner { return newPipeline(h.processPipeline) }

// Pipelined sends what `fn` queues, and nothing when `fn` fails.
func (h *hooks) Pipelined(ctx context.Context, fn func(Pipeliner) error) ([]Cmder, error) {
	return pipelined(ctx, h.Pipeline(), fn)
}

// TxPipeline queues commands to run as one transaction; in a cluster all keys are in one slot.
func (h *hooks) TxPipeline() Pipeliner { return newPipeline(h.processTx) }

// TxPipelined runs what `fn` queues as one transaction, and nothing when `fn` fails. In a Watch,
// TxFailedErr means that a watched key has changed and nothing was executed.
func (h *hooks) TxPipelined(ctx context.Context, fn func(Pipeliner) error) ([]Cmder, error) {
	return pipelined(ctx, h.TxPipeline(), fn)
}

func (h *hooks) process(ctx context.Context, cmd Cmder) error {
	if h == nil {
		cmd.SetErr(errNotMade)
		return errNotMade
	}
	wrapped := h.wrapped.Load()
	if wrapped == nil {
		return h.own.process(ctx, cmd)
	}
	err := wrapped.process(ctx, cmd)
	cmd.SetErr(err)
	return err
}

// shortcut is process for a handle of an engine: nothing lies between the two without hooks, and
// without a provider to ask again.
func (h *hooks) shortcut(e *engine, at place) cmdable {
	return func(ctx context.Context, cmd Cmder) error {
		if e != nil && e.login == nil && h.wrapped.Load() == nil {
			return e.processOnce(ctx, at, cmd)
		}
		return h.process(ctx, cmd)
	}
}

func (h *hooks) processPipeline(ctx context.Context, cmds []Cmder) error {
	if h == nil {
		return setErrors(cmds, errNotMade)
	}
	if wrapped := h.wrapped.Load(); wrapped != nil {
		return wrapped.pipeline(ctx, cmds)
	}
	return h.own.pipeline(ctx, cmds)
}

// processTx shows hooks the MULTI and EXEC around the commands, as go-redis does.
func (h *hooks) processTx(ctx context.Context, cmds []Cmder) error {
	if h == nil {
		return setErrors(cmds, errNotMade)
	}
	wrapped := h.wrapped.Load()
	if wrapped == nil {
		return h.own.tx(ctx, cmds)
	}
	all := make([]Cmder, 0, len(cmds)+2)
	all = append(append(all, NewStatusCmd(ctx, "multi")), cmds...)
	return wrapped.tx(ctx, append(all, NewSliceCmd(ctx, "exec")))
}

// wrapsDial says whether a hook does anything about connections: one that does not returns the very
// function it was given.
func wrapsDial(hook Hook) bool {
	next := DialHook(func(context.Context, string, string) (net.Conn, error) { return nil, nil })
	got := hook.DialHook(next)
	return got != nil && reflect.ValueOf(got).Pointer() != reflect.ValueOf(next).Pointer()
}
