'use strict';
/**
 * Commands gathered to be sent together: pipeline() and multi(). One outcome per command, in order;
 * the core sends the members of a transaction one directly after the other.
 */

const { AsyncResource } = require('node:async_hooks');
const { REQUEST, MODE_BUFFER } = require('./native');
const { Commander } = require('./commander');
const { splitCallback, callLater, afterCallback } = require('./callbacks');
const { commandOf } = require('./commands');
const { Request, refusalOf } = require('./request');
const { classes } = require('./errors');
const tracing = require('./tracing');

/** One command of a pipeline; its outcome goes to the pipeline. */
class PipelinedRequest extends Request {
  constructor(pipeline, command, args, buffer, callback) {
    super(pipeline.redis, command, args, buffer, pipeline._signal);
    this.pipeline = pipeline;
    this.callback = callback && AsyncResource.bind(callback);
    this.flags = pipeline._inTransaction ? REQUEST.ATOMIC : 0;
    this.index = pipeline._requests.length;
  }

  /* A transaction is not sent twice, so its scripts go as a whole. */
  prepare() {
    super.prepare();
    const { lua } = this.command;
    if (lua === undefined || this.flags === 0) return;
    this.wireName = 'eval';
    this.args = [lua, ...this.args.slice(1)];
  }

  done(error, value) {
    if (this.callback !== undefined) callLater(this.callback, error, value);
    this.pipeline._onOutcome(this.index, error === null ? [null, value] : [error]);
  }
}

class Pipeline extends Commander {
  /**
   * @param transaction whether the whole pipeline is one MULTI … EXEC, whose result exec() gives.
   * @param signal AbortSignal of all its commands, or undefined.
   */
  constructor(client, transaction, signal) {
    super();
    this.redis = client;
    this.isPipeline = true;
    this.isCluster = client.isCluster;
    this._signal = signal;
    this._requests = [];
    this._outcomes = []; // [error] or [null, value] by the number of the request
    this._left = 0; // requests without an outcome
    this._resolve = null; // of the promise of all outcomes
    this._transaction = transaction;
    this._inTransaction = false;
    this._started = false;
    if (transaction) this.multi();
  }

  get length() {
    return this._requests.length;
  }

  _command(command, args, buffer, callback) {
    this._requests.push(new PipelinedRequest(this, command, args, buffer, callback));
    return this;
  }

  /** [[name, ...args], …] as further commands. */
  addBatch(commands) {
    for (const [name, ...args] of commands) {
      const callback = splitCallback(args);
      if (name.toLowerCase() === 'multi') this.multi();
      else if (name.toLowerCase() === 'exec') this._endTransaction(false);
      else this._command(commandOf(name), args, false, callback);
    }
    return this;
  }

  /** Begins a transaction inside the pipeline; the next exec() ends it. */
  multi() {
    this._inTransaction = true;
    return this._command(commandOf('multi'), [], false, undefined);
  }

  _endTransaction(buffer) {
    const isMixed = !buffer && wantBuffers(this._requests);
    this._command(commandOf('exec'), [], buffer || isMixed, undefined);
    this._inTransaction = false;
    const end = this._requests[this._requests.length - 1];
    end.flags |= REQUEST.ATOMIC_END;
    end.isMixed = isMixed;
    return this;
  }

  /**
   * Sends everything; resolves with [[error, result], …], a transaction with the results of EXEC.
   */
  exec(callback) {
    return this._exec(false, callback);
  }

  execBuffer(callback) {
    return this._exec(true, callback);
  }

  _exec(buffer, callback) {
    if (this._inTransaction) {
      this._endTransaction(buffer);
      if (!this._transaction) return this;
    }
    const promise = this._started
      ? Promise.reject(new Error('The pipeline has been executed already'))
      : this._runTraced();
    this._started = true;
    return afterCallback(promise, callback);
  }

  _runTraced() {
    if (!this._transaction || !tracing.isTraced(tracing.BATCH)) return this._run();
    return tracing.traceBatch(this.redis, this.length - 2, () => this._run());
  }

  async _run() {
    if (this._requests.length > 0) await this._sendAll();
    const outcomes = this._outcomes;
    if (this._transaction) return this._resultOfTransaction(outcomes);
    for (let i = 0; i < outcomes.length; i++) this._shape(i, outcomes[i]);
    return outcomes;
  }

  _sendAll() {
    const requests = this._requests;
    for (const request of requests) request.prepare();
    const all = new Promise((resolve) => {
      this._resolve = resolve;
    });
    this._left = requests.length;
    this._outcomes = new Array(requests.length);
    /* One member that cannot be sent would leave its transaction without a part: then nothing is.
     */
    const refused = this._refusedMember();
    for (const request of requests) {
      if (refused) request.fail(refusalOf(refused));
      else this.redis._send(request, request.flags);
    }
    return all;
  }

  _onOutcome(index, outcome) {
    this._outcomes[index] = outcome;
    if (--this._left === 0) this._resolve();
  }

  _refusedMember() {
    const refused = this._requests.find(
      ({ flags, command }) => flags === REQUEST.ATOMIC && command.refused !== undefined,
    );
    return refused && refused.command;
  }

  /** The value of an EXEC inside the pipeline is shaped by the commands it ran. */
  _shape(i, outcome) {
    const { command, flags } = this._requests[i];
    const [, value] = outcome;
    if ((flags & REQUEST.ATOMIC_END) === 0 || command.name !== 'exec' || !Array.isArray(value))
      return;
    outcome[1] = this._resultsOfExec(i, value).map(([error, result]) => error || result);
  }

  /** One [error, value] per command between MULTI and the EXEC at `end`. */
  _resultsOfExec(end, values) {
    const { isMixed } = this._requests[end];
    return resultsOfExec(this._requests.slice(end - values.length, end), values, isMixed);
  }

  _resultOfTransaction(outcomes) {
    const end = outcomes.length - 1;
    const [error, values] = outcomes[end];
    if (error) {
      error.previousErrors = outcomes
        .slice(0, end)
        .map(([previous]) => previous)
        .filter(Boolean);
      throw error;
    }
    return values === null ? null : this._resultsOfExec(end, values);
  }
}

const wantsBuffer = (request) => (request.mode & MODE_BUFFER) !== 0;
const wantBuffers = (requests) => requests.some(wantsBuffer);

/** A reply read as Buffers, since another command of its transaction wants them, as text. */
function textOf(value) {
  if (Buffer.isBuffer(value)) return value.toString();
  return Array.isArray(value) ? value.map(textOf) : value;
}

/** One [error, value] per request of a transaction, of the reply to EXEC. */
function resultsOfExec(requests, values, isMixed) {
  return values.map((read, i) => {
    const request = requests[i];
    const value = isMixed && !wantsBuffer(request) ? textOf(read) : read;
    if (!(value instanceof classes.ReplyError)) return [null, request.transform(value)];
    value.command = { name: request.command.lowerName, args: request.args };
    return [value];
  });
}

module.exports = { Pipeline, resultsOfExec, wantBuffers };
