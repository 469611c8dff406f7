'use strict';
/**
 * One command under way: its text for the core, and what becomes of its outcome. A subclass says in
 * `done(error, value)`, called once, who waits: a promise, or a pipeline.
 */

const native = require('./native');
const abort = require('./abort');
const { classes, fromFailure, CONNECTION_STATUSES, NOT_SENT } = require('./errors');
const { toArguments } = require('./commands');
const { withPrefix } = require('./keys');

class Request {
  /** @param command of commandOf(). @param signal AbortSignal or undefined. */
  constructor(client, command, args, buffer, signal) {
    this.client = client;
    this.command = command;
    this.wireName = command.name;
    this.args = args;
    this.mode = buffer ? client._mode | native.MODE_BUFFER : client._mode;
    this.signal = signal;
    this.slot = -1;
    this.core = null; // of the client it was sent to: {id, pending}
    this.session = null; // whose connection it was sent on
    this.isQueued = false; // in a transaction of several calls: its reply is only "QUEUED"
    this.origin = client._wantsStack ? new Error().stack : undefined;
  }

  /** Makes the arguments what the server gets; throws when one has no text. */
  prepare() {
    const { command, client } = this;
    this.args = toArguments(command, this.args);
    if (command.lua !== undefined) this.args = command.complete(this.args);
    if (client._prefix !== '') this.args = withPrefix(command.lowerName, this.args, client._prefix);
  }

  /** Hands it to the core; it counts as pending until it is settled. */
  send(id, flags) {
    if (this.signal !== undefined) return this.sendAbortable(id, flags);
    native.push(id, this, this.mode, flags | this.command.flags, this.wireName, this.args);
    this.count();
  }

  count() {
    this.client._pending++;
    this.core = this.client._core;
    this.core.pending++;
  }

  sendAbortable(id, flags) {
    if (this.signal.aborted) throw new classes.AbortedError(null, this.signal.reason);
    const mode = this.mode | native.MODE_CANCELLABLE;
    this.slot = native.push(id, this, mode, flags | this.command.flags, this.wireName, this.args);
    this.count();
    abort.watch(this.signal, this);
  }

  /** The signal has aborted: the core ends it, and says what is known of it. */
  cancel() {
    native.cancel(this.core.id, this.slot);
  }

  settle(kind, value) {
    const { client, core } = this;
    client._pending--;
    if (--core.pending === 0 && client._waiting !== null) client._passOn();
    if (this.session !== null) this.leaveSession(kind, value);
    if (this.signal !== undefined) abort.unwatch(this.signal, this);
    if (this.signal !== undefined && this.signal.aborted) this.settleAborted(kind, value);
    else if (kind === native.KIND_VALUE) this.done(null, this.transform(value));
    else if (kind === native.KIND_SERVER_ERROR) this.settleRefused(value);
    else this.fail(client._errorOfFailure(value));
    if (client._pending === 0) client._onIdle();
  }

  leaveSession(kind, value) {
    const { session } = this;
    this.session = null;
    session.onSettled(kind, value);
  }

  /** A program that aborted gets that error always, also when an answer was faster. */
  settleAborted(kind, value) {
    const known = kind === native.KIND_FAILURE ? value : { executed: 'yes' };
    this.fail(new classes.AbortedError(known, this.signal.reason));
  }

  /** The server's error reply; a script it does not know yet is sent to it. */
  settleRefused(message) {
    const isUnknownScript =
      this.command.lua !== undefined &&
      this.wireName === this.command.name &&
      message.startsWith('NOSCRIPT');
    const error = new classes.ReplyError(message);
    const again = this.client._onErrorReply(error);
    if (isUnknownScript) this.sendAgain('eval', [this.command.lua, ...this.args.slice(1)]);
    else if (again) this.sendAgain(this.wireName, this.args);
    else this.fail(error);
  }

  sendAgain(wireName, args) {
    this.wireName = wireName;
    this.args = args;
    this.client._send(this, 0);
  }

  transform(value) {
    const { toReply, hook } = this.command;
    if (this.isQueued && value === 'QUEUED') return value;
    if (hook !== undefined) return hook(value);
    return toReply === undefined || this.mode & native.MODE_NESTED ? value : toReply(value);
  }

  fail(error) {
    error.command = { name: this.command.lowerName, args: this.args };
    if (this.origin)
      error.stack = `${error.name}: ${error.message}\n${this.origin.replace(/^.*\n/, '')}`;
    this.done(error, undefined);
  }
}

/** A request somebody awaits. */
class PromisedRequest extends Request {
  constructor(client, command, args, buffer, signal) {
    super(client, command, args, buffer, signal);
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  done(error, value) {
    if (error === null) this.resolve(value);
    else this.reject(error);
  }
}

/** The error of a command that is never sent, for the reason in its table. */
function refusalOf(command) {
  return new classes.TendonError(
    `Command ${command.lowerName} is not supported: ${command.refused}`,
    { ...NOT_SENT, status: 'UNSUPPORTED' },
  );
}

/**
 * The error of a failed command of a client with these options; `last` is its last connection
 * error, `ended` whether it has given up for good.
 */
function errorOfFailure(failure, options, last, ended) {
  if (failure.status === 'CLOSED') return new classes.ClosedError(failure, last || undefined);
  const error = fromFailure(failure);
  const passing = CONNECTION_STATUSES.has(failure.status) && failure.executed === 'no';
  if (ended && passing) return new classes.ClosedError(failure, error);
  const limit = options.maxRetriesPerRequest;
  if (passing && typeof limit === 'number' && limit >= 0 && failure.attempts > limit) {
    const reached = new classes.MaxRetriesPerRequestError(limit, { cause: error });
    reached.executed = failure.executed;
    return reached;
  }
  if (failure.status === 'TIMEOUT' && options.commandTimeout > 0) {
    return new classes.TimeoutError('Command timed out', failure, { cause: error });
  }
  return error;
}

module.exports = { Request, PromisedRequest, refusalOf, errorOfFailure };
