package redis

import (
	"context"
	"sync"
	"time"

	"tendon.dev/redis/internal/core"
)

// MonitorStatus says what a MonitorCmd does.
type MonitorStatus int

const (
	monitorIdle MonitorStatus = iota
	monitorStarted
	monitorStopped
)

// MonitorCmd shows every command that the server executes, on a connection of its own.
type MonitorCmd struct {
	baseCmd
	lines  chan string
	engine *engine
	node   string

	mutex   sync.Mutex
	status  MonitorStatus
	started chan struct{} // closed by Start
	stopped context.CancelFunc
}

// Monitor shows every command that the server executes: between Start and Stop, each is a line in
// `lines`. A full channel holds the rest up in the server.
func (c cmdable) Monitor(ctx context.Context, lines chan string) *MonitorCmd {
	return run(ctx, c, &MonitorCmd{
		baseCmd: baseCmd{ctx: ctx, args: []interface{}{"monitor"}},
		lines:   lines, started: make(chan struct{}),
	})
}

// String shows the command and its error.
func (c *MonitorCmd) String() string { return c.show(nil) }

// Clone is the command itself: there is one connection.
func (c *MonitorCmd) Clone() Cmder { return c }

// GetCmdType names the type of the command.
func (c *MonitorCmd) GetCmdType() CmdType { return CmdTypeMonitor }

func (c *MonitorCmd) readReply(core.Tape) error { return nil }

// Start lets lines come.
func (c *MonitorCmd) Start() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.status == monitorIdle {
		c.status = monitorStarted
		close(c.started)
	}
}

// Stop ends it for good and gives up the connection. The channel stays open.
func (c *MonitorCmd) Stop() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.status = monitorStopped
	if c.stopped != nil {
		c.stopped()
	}
}

// open asks the server, waits for its consent and leaves the rest to a goroutine.
func (c *MonitorCmd) open(e *engine, node string) error {
	p := newPubSub(e, node)
	if err := p.submit(c.ctx, tagSubscribe, "monitor", nil); err != nil {
		return err
	}
	consent := make(chan error, 1)
	ctx, stop := context.WithCancel(context.Background())
	c.mutex.Lock()
	c.stopped = stop
	c.mutex.Unlock()
	go c.listen(ctx, p, consent)
	select {
	case err := <-consent:
		return err
	case <-c.ctx.Done():
		stop()
		return c.ctx.Err()
	}
}

func (c *MonitorCmd) listen(ctx context.Context, p *PubSub, consent chan<- error) {
	defer func() { _ = p.Close() }()
	var lines []string
	take := func(a core.Arrival) {
		switch {
		case a.Event == core.EventMessage:
			lines = append(lines, a.Tape.Text(0))
		case a.Event != 0:
		case a.Failure != nil:
			consent <- callError(c.ctx, a.Failure, false)
		case a.Tape.Type(0) == core.NodeError:
			consent <- serverError(a.Tape.Text(0))
		default:
			consent <- nil
		}
	}
	for {
		if err := p.stream.Take(ctx, time.Time{}, take); err != nil {
			return
		}
		for _, line := range lines {
			select {
			case <-c.started:
			case <-ctx.Done():
				return
			}
			select {
			case c.lines <- line:
			case <-ctx.Done():
				return
			}
		}
		lines = lines[:0]
	}
}
