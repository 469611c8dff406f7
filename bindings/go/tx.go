package redis

import (
	"context"
	"sync"

	"tendon.dev/redis/internal/core"
)

// txSink takes the outcomes of MULTI, the queued commands and EXEC, and gives each command its
// result.
type txSink struct {
	*submission
	cmds   []Cmder
	failed []bool // the command was refused when it was queued, and keeps that error
	err    error  // why there is no result of EXEC
}

// Deliver implements core.Sink.
func (t *txSink) Deliver(position int, tape core.Tape, failure *core.Failure) {
	var err error
	switch {
	case failure != nil:
		err = t.submission.failed(failure)
	case tape.Type(0) == core.NodeError:
		err = serverError(tape.Text(0))
	}
	switch {
	case position > len(t.cmds) && err == nil:
		t.executed(tape)
	case position == 0 || position > len(t.cmds):
		if err != nil {
			t.err = err
		}
	case err != nil:
		if reply, ok := err.(serverError); ok {
			err = refusedError{reply} // EXEC executes nothing then
		}
		t.failed[position-1] = true
		t.cmds[position-1].SetErr(err)
	}
}

// executed hands the elements of EXEC's reply to the commands. A null means that a watched key
// changed.
func (t *txSink) executed(tape core.Tape) {
	if tape.Type(0) == core.NodeNull {
		t.err = TxFailedErr
		return
	}
	if !tape.IsAggregate(0) || tape.Size(0) != len(t.cmds) {
		t.err = unexpected(tape, 0, "EXEC")
		return
	}
	at := 1
	for _, cmd := range t.cmds {
		settle(cmd, tape.Sub(at))
		at = tape.Next(at)
	}
}

// processTx runs the commands between MULTI and EXEC as one group, which libtendon writes to one
// connection and tries again only as a whole.
func (e *engine) processTx(ctx context.Context, at place, cmds []Cmder) error {
	if len(cmds) == 0 {
		return nil
	}
	if err := e.ready(ctx); err != nil {
		return setErrors(cmds, err)
	}
	if sent := named(cmds); len(sent) < len(cmds) {
		return setErrors(sent, errAborted) // as the server would, which refuses what has no name
	}
	before := e.core.Load()
	err := e.processTxOnce(ctx, at, cmds)
	if err != nil && e.login != nil && e.renewed(ctx, at, before, cmds) {
		err = e.processTxOnce(ctx, at, cmds)
	}
	return err
}

func (e *engine) processTxOnce(ctx context.Context, at place, cmds []Cmder) error {
	s := e.newSubmission(ctx, at)
	defer s.free()
	t := &txSink{submission: s, cmds: cmds, failed: make([]bool, len(cmds))}
	if err := t.encode(ctx); err != nil {
		e.report(err)
		return setErrors(cmds, err)
	}
	if err := s.run(t, cmds); err != nil {
		t.err = err
	}
	err := t.finish()
	e.report(err)
	return err
}

func (t *txSink) encode(ctx context.Context) error {
	if err := t.setTimeout(false, 0); err != nil {
		return err
	}
	if err := t.begin(NewStatusCmd(ctx, "multi"), core.FlagAtomic); err != nil {
		return err
	}
	for _, cmd := range t.cmds {
		if err := t.begin(cmd, core.FlagAtomic); err != nil {
			return err
		}
	}
	return t.begin(NewSliceCmd(ctx, "exec"), core.FlagAtomic|core.FlagAtomicEnd)
}

// finish sets the transaction's error on every command that has none of its own.
func (t *txSink) finish() error {
	if t.err == nil {
		return firstError(t.cmds)
	}
	for i, cmd := range t.cmds {
		if !t.failed[i] {
			cmd.SetErr(t.err)
		}
	}
	return t.err
}

// blamed is the error of a transaction on a cluster: as in go-redis, that of the command for which
// it was refused, where a Client returns EXECABORT.
func blamed(cmds []Cmder, err error) error {
	for _, cmd := range cmds {
		if IsExecAbortError(err) && !IsExecAbortError(cmd.Err()) {
			return cmd.Err()
		}
	}
	return err
}

// leased runs commands on one connection, which it borrows at the first command and keeps.
type leased struct {
	engine *engine
	at     place // the node, if that is given, and the timeout

	mutex  sync.Mutex // a lease is for one goroutine at a time
	key    string     // decides the node in a cluster
	lease  *core.Lease
	closed bool
}

// place borrows the connection if need be. The caller holds the mutex.
func (l *leased) place(ctx context.Context) (place, error) {
	if l.closed {
		return place{}, ErrClosed
	}
	if l.at.raw != nil {
		return l.at, nil
	}
	if l.lease != nil {
		return place{lease: l.lease, timeout: l.at.timeout}, nil
	}
	if err := l.engine.ready(ctx); err != nil {
		return place{}, err
	}
	s := l.engine.newSubmission(ctx, place{timeout: l.at.timeout})
	defer s.free()
	if err := s.setTimeout(false, 0); err != nil {
		return place{}, err
	}
	client := l.engine.core.Load()
	lease, failure := client.Lease(ctx, l.key, l.at.node, max(s.batch.Timeout, 0))
	if failure != nil && failure.Status == core.StatusAuth && l.engine.login != nil &&
		l.engine.renew(ctx, client) == nil {
		client = l.engine.core.Load()
		lease, failure = client.Lease(ctx, l.key, l.at.node, max(s.batch.Timeout, 0))
	}
	if failure != nil {
		return place{}, s.failed(failure)
	}
	l.lease = lease
	return place{lease: lease, timeout: l.at.timeout}, nil
}

func (l *leased) steps() steps {
	return steps{process: l.process, pipeline: l.processAll, tx: l.processTx}
}

// String says whether a connection is held.
func (l *leased) String() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	switch {
	case l.closed:
		return "Redis<connection given back>"
	case l.lease == nil:
		return "Redis<connection not borrowed yet>"
	}
	return "Redis<one connection>"
}

func (l *leased) process(ctx context.Context, cmd Cmder) error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	at, err := l.place(ctx)
	if err != nil {
		cmd.SetErr(err)
		return err
	}
	return l.engine.process(ctx, at, cmd)
}

func (l *leased) processAll(ctx context.Context, cmds []Cmder) error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	at, err := l.place(ctx)
	if err != nil {
		return setErrors(cmds, err)
	}
	return l.engine.processAll(ctx, at, cmds)
}

func (l *leased) processTx(ctx context.Context, cmds []Cmder) error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	at, err := l.place(ctx)
	if err != nil {
		return setErrors(cmds, err)
	}
	return l.engine.processTx(ctx, at, cmds)
}

// close gives the connection back. libtendon undoes WATCH, SELECT and the like before anybody else
// has it.
func (l *leased) close() error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.closed {
		return ErrClosed
	}
	l.closed = true
	if l.lease != nil {
		l.lease.Close()
		l.lease = nil
	}
	return nil
}

// Tx is a connection inside Watch: what it queues with TxPipelined runs only if the watched keys
// have not changed.
type Tx struct {
	cmdable
	statefulCmdable
	*hooks
	on *leased
}

func newTx(e *engine, at place, from *hooks) *Tx {
	tx := &Tx{on: &leased{engine: e, at: at}}
	tx.hooks = from.derive(tx.on.steps())
	tx.cmdable, tx.statefulCmdable = tx.hooks.process, tx.hooks.process
	return tx
}

// String says whether a connection is held.
func (tx *Tx) String() string { return tx.on.String() }

// Watch watches more keys.
func (tx *Tx) Watch(ctx context.Context, keys ...string) *StatusCmd {
	tx.on.route(keys)
	return run(ctx, tx.cmdable, NewStatusCmd(ctx, appendList([]interface{}{"watch"}, keys)...))
}

// route makes the first key decide which node's connection is borrowed.
func (l *leased) route(keys []string) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.lease == nil && len(keys) > 0 {
		l.key = keys[0]
	}
}

// Unwatch forgets the watched keys.
func (tx *Tx) Unwatch(ctx context.Context, _ ...string) *StatusCmd {
	return run(ctx, tx.cmdable, NewStatusCmd(ctx, "unwatch"))
}

// Close gives the connection back. Watch does it by itself.
func (tx *Tx) Close(context.Context) error { return tx.on.close() }

// watch runs fn with a connection that watches keys.
func (e *engine) watch(ctx context.Context, at place, from *hooks, fn func(*Tx) error,
	keys []string) error {
	if e == nil {
		return errNotMade
	}
	tx := newTx(e, at, from)
	defer func() { _ = tx.on.close() }()
	if len(keys) > 0 {
		if err := tx.Watch(ctx, keys...).Err(); err != nil {
			return err
		}
	}
	return fn(tx)
}
