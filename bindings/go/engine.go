package redis

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tendon.dev/redis/internal/core"
	"tendon.dev/redis/internal/stream"
)

// pipelineChunk is how many commands of a pipeline are under way at once. More would only fill
// memory, and libtendon refuses more pending requests than its option max_pending.
const pipelineChunk = 10000

// engine runs commands on one client of libtendon. All handles made from one constructor share it.
type engine struct {
	core    atomic.Pointer[core.Client] // nil before the first login of a provider
	bridge  *stream.Bridge              // supplies connections that Go makes; usually nil
	limiter Limiter
	broken  error // why the options cannot work: the result of every command

	dialTimeout time.Duration
	configure   func(socket string) (settings, error)
	redial      func([]Hook) stream.Dial // nil in a cluster

	login   *login // nil unless a provider is asked for user and password
	pubSubs pubSubCounters

	limitless bool          // no ReadTimeout: calls have no deadline of their own
	bound     time.Duration // no call takes longer than this without its context saying so
}

// place is where commands run: anywhere by their keys, on one node, or on one connection.
type place struct {
	lease   *core.Lease
	node    string
	timeout time.Duration // of each call, instead of the client's; 0 for the client's
	raw     *goConnection // one that libtendon does not have yet
}

// newEngine opens the client of libtendon that `configure` describes. Errors are kept for the
// commands, since the constructors of go-redis return none.
func newEngine(dial stream.Dial, ask credentials, dialTimeout time.Duration, limiter Limiter,
	configure func(socket string) (settings, error)) *engine {
	e := &engine{limiter: limiter, dialTimeout: dialTimeout, configure: configure}
	if ask != nil {
		e.login = &login{ask: ask}
	}
	e.open(dial)
	return e
}

// open opens the client of libtendon, with connections that Go makes unless `dial` is nil.
func (e *engine) open(dial stream.Dial) {
	socket := ""
	if dial != nil {
		// Go gives up a little sooner than libtendon, so that the error can say what Go was
		// waiting for.
		bridge, err := stream.Open(dial, e.dialTimeout*9/10)
		if err != nil {
			e.broken = &ClientError{Status: "SYSTEM", Message: err.Error(), executed: ExecutedNo}
			return
		}
		e.bridge, socket = bridge, bridge.Path()
	}
	options, err := e.configure(socket)
	if err == nil && e.login == nil {
		err = e.use(options)
	}
	if err != nil {
		e.broken = err
		if e.bridge != nil {
			e.bridge.Close()
		}
	}
	if e.login != nil {
		e.login.options = options
	}
}

// use opens a client of libtendon for the commands from now on.
func (e *engine) use(options settings) error {
	client, failure := core.Open(options)
	if failure != nil {
		return optionError(failure)
	}
	if e.bridge != nil {
		client.Wrote = e.bridge.Hurry
	}
	e.core.Store(client)
	// A client that was forgotten instead of closed gives back its connections and goroutines all
	// the same. Closing waits, which the goroutine that runs cleanups must not.
	runtime.AddCleanup(e, func(r resources) { go r.close() }, resources{client, e.bridge})
	return nil
}

// dialThrough makes connections with the DialHook of hooks from now on. A client that has been used
// keeps the way it connects.
func (e *engine) dialThrough(list []Hook) {
	switch {
	case e == nil || e.redial == nil:
		logf("DialHook is not called: libtendon makes the connections of a cluster")
	case e.broken != nil:
	case e.bridge != nil:
		e.bridge.SetDial(e.redial(list))
	case e.login != nil || e.core.Load().Stats().Requests > 0:
		logf("DialHook is not called: the client has connected already; " +
			"add the hook before the first command")
	default:
		old := resources{e.core.Load(), e.bridge}
		e.open(e.redial(list))
		old.close()
	}
}

// resources are what an engine has to give back. They must not lead to the engine, which would then
// never be forgotten.
type resources struct {
	core   *core.Client
	bridge *stream.Bridge
}

// close reports false when it was done before.
func (r resources) close() bool {
	if !r.core.Close() {
		return false
	}
	if r.bridge != nil {
		r.bridge.Close()
	}
	return true
}

// deadlines tells the engine how long a call may take, to know when a context asks for less.
func (e *engine) deadlines(retries int, o *Options) {
	e.limitless = o.ReadTimeout < 0 || o.WriteTimeout < 0
	attempt := o.DialTimeout + max(o.ReadTimeout, 0) + max(o.WriteTimeout, 0) + o.MaxRetryBackoff
	e.bound = time.Duration(retries+1)*attempt + max(o.PoolTimeout, 0)
}

func (e *engine) close() error {
	if e == nil {
		return errNotMade
	}
	if e.broken != nil {
		return nil
	}
	if e.login != nil {
		return e.login.close(e.core.Load())
	}
	if !(resources{e.core.Load(), e.bridge}).close() {
		return ErrClosed
	}
	return nil
}

// submission is what one call hands to libtendon, and the sink of its outcomes. It is reused: when
// Do returns, every outcome has been delivered.
type submission struct {
	batch   core.Batch
	cmds    []Cmder
	one     [1]Cmder
	ctx     context.Context
	engine  *engine
	timeout time.Duration
	raw     *goConnection
	hurried bool // the deadline is that of ctx
}

var submissions = sync.Pool{New: func() interface{} { return new(submission) }}

func (e *engine) newSubmission(ctx context.Context, at place) *submission {
	s := submissions.Get().(*submission)
	s.ctx, s.engine, s.timeout, s.hurried = ctx, e, at.timeout, false
	s.batch.Reset()
	s.batch.Lease, s.batch.Node, s.raw = at.lease, at.node, at.raw
	return s
}

func (s *submission) free() {
	s.cmds, s.ctx, s.engine, s.raw, s.one[0] = nil, nil, nil, nil, nil
	s.batch.Lease = nil
	submissions.Put(s)
}

// run submits the batch and waits for its outcomes. Its error is that of commands none of which was
// taken.
func (s *submission) run(sink core.Sink, cmds []Cmder) error {
	if s.raw != nil {
		return s.raw.do(s.ctx, &s.batch, sink)
	}
	client := s.engine.core.Load()
	if s.batch.Lease != nil {
		client = s.batch.Lease.Client()
	}
	if failure := client.Do(s.ctx, &s.batch, sink); failure != nil {
		return s.refused(failure, cmds)
	}
	return nil
}

// Deliver implements core.Sink.
func (s *submission) Deliver(position int, tape core.Tape, failure *core.Failure) {
	cmd := s.cmds[position]
	if failure != nil {
		cmd.SetErr(s.failed(failure))
		return
	}
	settle(cmd, tape)
}

// failed makes the error of a failure. libtendon sees only the end of a stream that Go could not
// connect; what the dialler said is the cause a person needs.
func (s *submission) failed(failure *core.Failure) error {
	err := callError(s.ctx, failure, s.hurried)
	e, ok := err.(*ClientError)
	if !ok || s.engine.bridge == nil {
		return err
	}
	switch failure.Class {
	case core.ClassConnect, core.ClassNetwork, core.ClassTimeout, core.ClassTLS:
		if cause := s.engine.bridge.Cause(); cause != nil {
			e.Message = cause.Error() + " (while Go made the connection)"
			e.causes = append(e.causes, cause)
		}
	}
	return err
}

// refusals say what a status means for commands that libtendon took none of; the status comes
// without a text of its own there.
var refusals = map[int32]string{
	core.StatusLimit: "an argument is larger than max_request_bytes, 512 MiB unless CoreOptions " +
		"says otherwise, which is the server's own limit too; split the value",
	core.StatusState: "it would change a connection that others share; use Client.Conn, Watch, " +
		"TxPipeline or the Options",
	core.StatusUnsupported: "it turns its connection into something else than question and " +
		"answer; subscriptions are not supported yet",
}

// refused makes the error of commands that were not taken, and names them where there are few.
func (s *submission) refused(failure *core.Failure, cmds []Cmder) error {
	if text, ok := refusals[failure.Status]; ok {
		names := make([]string, 0, 3)
		for _, cmd := range cmds[:min(len(cmds), cap(names))] {
			names = append(names, cmd.FullName())
		}
		if len(cmds) > cap(names) {
			names = append(names, "...")
		}
		failure.Message = "refused " + strings.Join(names, ", ") + ": " + text
	}
	return s.failed(failure)
}

// begin starts the next request of the batch and encodes a command into it.
func (s *submission) begin(cmd Cmder, flags uint32) error {
	base := cmd.command()
	if err := base.unnamed(); err != nil {
		return err
	}
	if base.blocking {
		flags |= core.FlagBlocking
	}
	s.batch.Begin(flags)
	for i, arg := range base.args {
		if err := addArg(&s.batch, arg); err != nil {
			return fmt.Errorf("%w, argument %d of %s", err, i, base.Name())
		}
	}
	return nil
}

// setTimeout gives the batch its deadline: that of the context when it is sooner than the client's
// own.
func (s *submission) setTimeout(blocking bool, block time.Duration) error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	limitless := s.engine.limitless || (blocking && block == 0)
	bound := s.engine.bound
	s.batch.Timeout = 0
	if s.timeout > 0 && !(blocking && block == 0) {
		limitless, bound = false, s.timeout
		s.batch.Timeout = ceilMillis(s.timeout + block)
	}
	if limitless {
		s.batch.Timeout = core.TimeoutNone
	}
	deadline, ok := s.ctx.Deadline()
	if !ok {
		return nil
	}
	left := time.Until(deadline)
	if left <= 0 {
		return context.DeadlineExceeded
	}
	if limitless || left < bound+block {
		s.batch.Timeout, s.hurried = ceilMillis(left), true
	}
	return nil
}

// ready refuses calls that cannot start.
func (e *engine) ready(ctx context.Context) error {
	if e == nil {
		return errNotMade
	}
	if e.broken != nil {
		return e.broken
	}
	if e.login != nil && e.core.Load() == nil {
		if err := e.renew(ctx, nil); err != nil {
			return err
		}
	}
	if e.limiter != nil {
		return e.limiter.Allow()
	}
	return nil
}

func (e *engine) report(err error) {
	if e.limiter != nil {
		e.limiter.ReportResult(err)
	}
}

// process runs one command and waits for its outcome, which it also returns.
func (e *engine) process(ctx context.Context, at place, cmd Cmder) error {
	if e == nil || e.login == nil {
		return e.processOnce(ctx, at, cmd)
	}
	before := e.core.Load()
	err := e.processOnce(ctx, at, cmd)
	if err != nil && e.renewed(ctx, at, before, []Cmder{cmd}) {
		err = e.processOnce(ctx, at, cmd)
	}
	return err
}

func (e *engine) processOnce(ctx context.Context, at place, cmd Cmder) error {
	if err := e.ready(ctx); err != nil {
		cmd.SetErr(err)
		return err
	}
	s := e.newSubmission(ctx, at)
	s.one[0] = cmd
	s.cmds = s.one[:]
	base := cmd.command()
	err := s.setTimeout(base.blocking, base.block)
	if err == nil {
		err = s.begin(cmd, 0)
	}
	if err != nil {
		cmd.SetErr(err)
	} else if err := s.run(s, s.cmds); err != nil {
		cmd.SetErr(err)
	}
	s.free()
	if err = cmd.Err(); err != nil {
		if monitor, ok := cmd.(*MonitorCmd); ok { // which nothing answers but a subscription
			err = monitor.open(e, at.node)
			cmd.SetErr(err)
		}
	}
	e.report(err)
	return err
}

// processAll runs the commands of a pipeline and returns the first error. A command that cannot be
// encoded fails the pipeline before anything is sent.
func (e *engine) processAll(ctx context.Context, at place, cmds []Cmder) error {
	if len(cmds) == 0 {
		return nil
	}
	if err := e.ready(ctx); err != nil {
		return setErrors(cmds, err)
	}
	before := e.core.Load()
	sent := named(cmds)
	e.processChunks(ctx, at, sent)
	if e.login != nil && e.renewed(ctx, at, before, sent) {
		e.processChunks(ctx, at, sent)
	}
	err := firstError(cmds)
	e.report(err)
	return err
}

func (e *engine) processChunks(ctx context.Context, at place, cmds []Cmder) {
	for rest := cmds; len(rest) > 0; {
		chunk := rest[:min(len(rest), pipelineChunk)]
		rest = rest[len(chunk):]
		if err := e.processChunk(ctx, at, chunk); err != nil {
			_ = setErrors(chunk, err)
			_ = setErrors(rest, err)
			return
		}
	}
}

// processChunk returns an error when nothing of the chunk was sent.
func (e *engine) processChunk(ctx context.Context, at place, cmds []Cmder) error {
	s := e.newSubmission(ctx, at)
	defer s.free()
	s.cmds = cmds
	blocking, block := blockingOf(cmds)
	if err := s.setTimeout(blocking, block); err != nil {
		return err
	}
	for _, cmd := range cmds {
		if err := s.begin(cmd, 0); err != nil {
			return err
		}
	}
	return s.run(s, cmds)
}

// blockingOf sums what the commands of a pipeline may block; one without limit makes the whole so.
func blockingOf(cmds []Cmder) (blocking bool, block time.Duration) {
	for _, cmd := range cmds {
		base := cmd.command()
		if base.blocking && base.block == 0 {
			return true, 0
		}
		blocking = blocking || base.blocking
		block += base.block
	}
	return blocking, block
}

// named are the commands that have a name; the others get their error.
func named(cmds []Cmder) []Cmder {
	var sent []Cmder
	for i, cmd := range cmds {
		err := cmd.command().unnamed()
		if err != nil && sent == nil {
			sent = append(make([]Cmder, 0, len(cmds)), cmds[:i]...)
		}
		if err != nil {
			cmd.SetErr(err)
		} else if sent != nil {
			sent = append(sent, cmd)
		}
	}
	if sent == nil {
		return cmds
	}
	return sent
}

func setErrors(cmds []Cmder, err error) error {
	for _, cmd := range cmds {
		cmd.SetErr(err)
	}
	return err
}

func firstError(cmds []Cmder) error {
	for _, cmd := range cmds {
		if err := cmd.Err(); err != nil {
			return err
		}
	}
	return nil
}
