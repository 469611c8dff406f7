'use strict';
/**
 * Commands gathered to be sent together: pipeline() and multi(). One outcome per command, in order;
 * the core sends the members of a transaction one directly after the other.
 */

const { REQUEST } = require('./native');
const { Commander, splitCallback, callLater, afterCallback } = require('./commander');
const { Request, refusal } = require('./request');
const { classes } = require('./errors');

class Pipeline extends Commander {
  /**
   * @param transaction whether the whole pipeline is one MULTI … EXEC, whose result exec() gives.
   */
  constructor(client, transaction = false) {
    super();
    this.redis = client;
    this.isPipeline = true;
    this._entries = []; // {name, args, buffer, callback, flags}
    this._transaction = transaction;
    this._inTransaction = false;
    this._started = false;
    if (transaction) this.multi();
  }

  get length() {
    return this._entries.length;
  }

  _command(name, args, buffer, callback) {
    const flags = this._inTransaction ? REQUEST.ATOMIC : 0;
    this._entries.push({ name, args, buffer, callback, flags });
    return this;
  }

  /** [[name, ...args], …] as further commands. */
  addBatch(commands) {
    for (const [name, ...args] of commands) {
      const callback = splitCallback(args);
      if (name.toLowerCase() === 'multi') this.multi();
      else if (name.toLowerCase() === 'exec') this._endTransaction(false);
      else this._command(name, args, false, callback);
    }
    return this;
  }

  /** Begins a transaction inside the pipeline; the next exec() ends it. */
  multi() {
    this._inTransaction = true;
    return this._command('multi', [], false, undefined);
  }

  _endTransaction(buffer) {
    this._command('exec', [], buffer, undefined);
    this._inTransaction = false;
    this._entries[this._entries.length - 1].flags = REQUEST.ATOMIC | REQUEST.ATOMIC_END;
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
      : this._run();
    this._started = true;
    return afterCallback(promise, callback);
  }

  async _run() {
    const outcomes = await this._sendAll();
    if (this._transaction) return this._resultOfTransaction(outcomes);
    return outcomes.map(([error, value], i) =>
      error ? [error] : [null, this._shape(i, value, outcomes)],
    );
  }

  _sendAll() {
    const entries = this._entries;
    const outcomes = new Array(entries.length);
    if (entries.length === 0) return Promise.resolve(outcomes);
    return new Promise((resolve) => {
      let left = entries.length;
      const requests = entries.map(
        (entry, i) =>
          new Request(this.redis, entry.name, entry.args, entry.buffer, (error, value) => {
            outcomes[i] = [error, value];
            if (entry.callback) callLater(entry.callback, error, value);
            if (--left === 0) resolve(outcomes);
          }),
      );
      /* One member that cannot be sent would leave its transaction without a part: then nothing is.
       */
      const refused = this._refusedMember();
      if (refused) requests.forEach((request) => request.fail(refused));
      else this.redis._send(requests, (i) => entries[i].flags);
    });
  }

  _refusedMember() {
    const members = this._entries.filter(({ flags }) => flags === REQUEST.ATOMIC);
    return members.map(({ name }) => refusal(name)).find(Boolean);
  }

  /**
   * The value of command `i`; what an EXEC inside the pipeline gives is shaped by the commands it
   * ran.
   */
  _shape(i, value, outcomes) {
    const { name, flags } = this._entries[i];
    if ((flags & REQUEST.ATOMIC_END) === 0 || name !== 'exec' || !Array.isArray(value))
      return value;
    return this._resultsOfExec(i, value, outcomes).map(([error, result]) => error || result);
  }

  /** One [error, value] per command between MULTI and the EXEC at `end`. */
  _resultsOfExec(end, values) {
    const first = end - values.length;
    return values.map((value, i) => {
      const { name, args } = this._entries[first + i];
      const request = new Request(this.redis, name, args, false, () => {});
      if (!(value instanceof classes.ReplyError)) return [null, request.transform(value)];
      value.command = { name: request.lowerName, args: request.args };
      return [value];
    });
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

module.exports = { Pipeline };
