'use strict';
/**
 * One command under way: its text for the core, and what becomes of its outcome. A subclass or
 * callback says who waits: a promise, or a pipeline.
 */

const native = require('./native');
const { classes, fromFailure, CONNECTION_STATUSES } = require('./errors');
const { REPLY_TRANSFORMERS, REFUSED, toArguments } = require('./commands');

class Request {
  /** `done(error, value)` is called once. */
  constructor(client, name, args, buffer, done) {
    this.client = client;
    this.name = name;
    this.lowerName = name.toLowerCase();
    this.args = toArguments(this.lowerName, args);
    this.mode =
      (buffer ? native.MODE_BUFFER : 0) |
      (client.options.stringNumbers ? native.MODE_NUMBERS_AS_TEXT : 0);
    this.done = done;
    this.origin = client.options.showFriendlyErrorStack ? new Error().stack : undefined;
  }

  /** Hands it to the core; it counts as pending until it is settled. */
  send(id, flags) {
    native.push(id, this, this.mode, flags, [this.name, ...this.args]);
    this.client._pending++;
  }

  settle(kind, value) {
    const { client } = this;
    client._pending--;
    if (kind === native.KIND_VALUE) this.done(null, this.transform(value));
    else if (kind === native.KIND_SERVER_ERROR) this.fail(new classes.ReplyError(value));
    else this.fail(client._errorOfFailure(value));
    if (client._pending === 0) client._onIdle();
  }

  transform(value) {
    const transformer = REPLY_TRANSFORMERS[this.lowerName];
    return transformer ? transformer(value) : value;
  }

  fail(error) {
    error.command = { name: this.lowerName, args: this.args };
    if (this.origin)
      error.stack = `${error.name}: ${error.message}\n${this.origin.replace(/^.*\n/, '')}`;
    this.done(error, undefined);
  }
}

/** Why this command is not sent, or undefined. */
function refusal(name) {
  const lower = name.toLowerCase();
  if (!Object.hasOwn(REFUSED, lower)) return undefined;
  return new classes.TendonError(`Command ${lower} is not supported: ${REFUSED[lower]}`, {
    status: 'UNSUPPORTED',
    executed: 'no',
    attempts: 0,
    elapsedMs: 0,
    node: '',
  });
}

/**
 * The error of a failed command of a client with these options; `last` is its last connection
 * error, `ended` whether it has given up for good.
 */
function errorOfFailure(failure, options, last, ended) {
  if (failure.status === 'CLOSED' || failure.status === 'CANCELLED') {
    return new classes.ClosedError(failure, last || undefined);
  }
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

module.exports = { Request, refusal, errorOfFailure };
