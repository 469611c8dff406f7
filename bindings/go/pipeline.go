package redis

import (
	"context"
	"sync"
)

// Pipeliner queues commands and sends them together. A command's result is set by Exec.
type Pipeliner interface {
	Cmdable
	StatefulCmdable

	// Len is the number of queued commands.
	Len() int
	// Do queues any command by name.
	Do(ctx context.Context, args ...interface{}) *Cmd
	// Process queues a command.
	Process(ctx context.Context, cmd Cmder) error
	// BatchProcess queues several commands.
	BatchProcess(ctx context.Context, cmd ...Cmder) error
	// Discard forgets the queued commands.
	Discard()
	// Exec sends the queued commands and returns them with the first error.
	Exec(ctx context.Context) ([]Cmder, error)
	// Cmds are the queued commands.
	Cmds() []Cmder
}

// pipelineRoom is for how many commands a pipeline has room at first.
const pipelineRoom = 16

// Pipeline is a Pipeliner. It can be used again after Exec.
type Pipeline struct {
	cmdable
	statefulCmdable
	exec func(ctx context.Context, cmds []Cmder) error

	mutex sync.Mutex
	cmds  []Cmder
}

var _ Pipeliner = (*Pipeline)(nil)

func newPipeline(exec func(ctx context.Context, cmds []Cmder) error) *Pipeline {
	p := &Pipeline{exec: exec}
	p.cmdable, p.statefulCmdable = p.Process, p.Process
	return p
}

// Len is the number of queued commands.
func (p *Pipeline) Len() int {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return len(p.cmds)
}

// Process queues a command.
func (p *Pipeline) Process(_ context.Context, cmd Cmder) error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.cmds == nil {
		p.cmds = make([]Cmder, 0, pipelineRoom)
	}
	p.cmds = append(p.cmds, cmd)
	return nil
}

// Do queues any command by name; nothing when there is none.
func (p *Pipeline) Do(ctx context.Context, args ...interface{}) *Cmd {
	if len(args) == 0 {
		return refused(NewCmd(ctx), errNoCommand)
	}
	return p.cmdable.Do(ctx, args...)
}

// BatchProcess queues several commands.
func (p *Pipeline) BatchProcess(_ context.Context, cmds ...Cmder) error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.cmds = append(p.cmds, cmds...)
	return nil
}

// Discard forgets the queued commands.
func (p *Pipeline) Discard() { p.take() }

// Cmds are the queued commands.
func (p *Pipeline) Cmds() []Cmder {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.cmds
}

// Exec sends the queued commands and returns them with the first error. An empty pipeline sends
// nothing.
func (p *Pipeline) Exec(ctx context.Context) ([]Cmder, error) {
	if p.exec == nil {
		return nil, errNotMade
	}
	cmds := p.take()
	if len(cmds) == 0 {
		return nil, nil
	}
	return cmds, p.exec(ctx, cmds)
}

func (p *Pipeline) take() []Cmder {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	cmds := p.cmds
	p.cmds = nil
	return cmds
}

// Pipelined queues what `fn` queues, then sends everything; nothing when `fn` fails.
func (p *Pipeline) Pipelined(ctx context.Context, fn func(Pipeliner) error) ([]Cmder, error) {
	return pipelined(ctx, p, fn)
}

// Pipeline returns the pipeline itself, which makes it fit where a client does.
func (p *Pipeline) Pipeline() Pipeliner { return p }

// TxPipeline returns the pipeline itself, which makes it fit where a client does.
func (p *Pipeline) TxPipeline() Pipeliner { return p }

// TxPipelined is Pipelined: a pipeline within a pipeline is no transaction.
func (p *Pipeline) TxPipelined(ctx context.Context, fn func(Pipeliner) error) ([]Cmder, error) {
	return p.Pipelined(ctx, fn)
}

func pipelined(ctx context.Context, p Pipeliner, fn func(Pipeliner) error) ([]Cmder, error) {
	if err := fn(p); err != nil {
		return nil, err
	}
	return p.Exec(ctx)
}

// anyStateful says whether a pipeline leaves something behind on its connection.
func anyStateful(cmds []Cmder) bool {
	for _, cmd := range cmds {
		if cmd.command().stateful {
			return true
		}
	}
	return false
}

// processPipeline runs a pipeline where it belongs: on a connection of its own when it changes one.
func (e *engine) processPipeline(ctx context.Context, at place, cmds []Cmder) error {
	if e == nil {
		return setErrors(cmds, errNotMade)
	}
	if !anyStateful(cmds) {
		return e.processAll(ctx, at, cmds)
	}
	on := &leased{engine: e, at: at}
	defer func() { _ = on.close() }()
	return on.processAll(ctx, cmds)
}
