'use strict';
/**
 * WATCH and MULTI over several calls: from the first of them to EXEC, DISCARD or UNWATCH the
 * commands of a client share one connection of their own. When that is lost, nothing of it is
 * executed anywhere else: its commands fail until the program begins again.
 */

const native = require('./native');
const { commandOf } = require('./commands');
const { afterCallback, splitCallback } = require('./callbacks');
const { keyPositions } = require('./keys');
const { PromisedRequest } = require('./request');
const { resultsOfExec, wantBuffers } = require('./pipeline');
const { classes } = require('./errors');

const { REQUEST } = native;
const WATCH = commandOf('watch');
const UNWATCH = commandOf('unwatch');
const MULTI = commandOf('multi');
const EXEC = commandOf('exec');
const DISCARD = commandOf('discard');
const LOST = new Set([
  'DISCONNECTED',
  'CLOSED',
  'CANCELLED',
  'CONNECT',
  'CONNECT_TIMEOUT',
  'RESOLVE',
]);

class Session {
  /** @param key what the connection's node must serve in a cluster; an empty Buffer elsewhere. */
  constructor(client, key) {
    this.client = client;
    this.slot = client.isCluster ? native.keySlot(key) : null;
    this.pending = 0;
    this.isLost = false;
    this.isEnding = false;
    this.queued = null; // requests between MULTI and EXEC
    this.id = native.lease(client._id, key, {
      settle: (kind) => {
        if (kind === native.KIND_FAILURE) this.isLost = true;
      },
    });
    client._sessions.add(this);
  }

  /** Whether a request of the client belongs here; in a cluster other slots go on as ever. */
  takes(request, flags) {
    if (this.slot === null || (flags & REQUEST.ATOMIC) !== 0) return true;
    const [first] = keyPositions(request.command.lowerName, request.args);
    return first !== undefined && native.keySlot(Buffer.from(request.args[first])) === this.slot;
  }

  send(request, flags) {
    request.session = this;
    request.send(this.id, flags);
    this.pending++;
    const { command } = request;
    if (this.queued !== null && command !== EXEC && command !== DISCARD) {
      request.isQueued = true;
      this.queued.push(request);
    }
    if ((flags & REQUEST.ATOMIC_END) !== 0) this.end();
  }

  onSettled(kind, value) {
    if (kind === native.KIND_FAILURE && LOST.has(value.status)) this.isLost = true;
    if (--this.pending === 0 && this.isEnding) this.close();
  }

  /** No more commands come; the connection goes back when those under way are answered. */
  end() {
    if (this.client._session === this) this.client._session = null;
    this.isEnding = true;
    if (this.pending === 0) this.close();
  }

  close() {
    if (this.client._sessions.delete(this)) native.endLease(this.id);
  }
}

/* What Client.prototype gets. */
const methods = {
  /** Begins a session, or adds to what it watches. */
  watch(...args) {
    const callback = splitCallback(args);
    return afterCallback(this._watch(args.flat()), callback);
  },

  /** Forgets what is watched, and ends the session. */
  unwatch(callback) {
    const session = this._session;
    if (session === null || session.isLost) {
      if (session !== null) session.end();
      return afterCallback(Promise.resolve('OK'), callback);
    }
    const sent = this._inSession(UNWATCH, []);
    if (session.queued === null) session.end();
    return afterCallback(sent, callback);
  },

  /** Drops a transaction begun by multi({ pipeline: false }). */
  discard(callback) {
    return afterCallback(this._endTransaction(DISCARD, false), callback);
  },

  /** Executes a transaction begun by multi({ pipeline: false }). */
  exec(callback) {
    return afterCallback(this._executed(false), callback);
  },

  execBuffer(callback) {
    return afterCallback(this._executed(true), callback);
  },

  async _watch(args) {
    const unavailable = this._unavailable();
    if (unavailable !== undefined) throw unavailable;
    if (this._session !== null && this._session.isLost) this._session.end();
    const request = new PromisedRequest(this, WATCH, args, false, undefined);
    request.prepare();
    if (this._session === null)
      this._session = new Session(this, Buffer.from(request.args[0] || ''));
    this._session.send(request, 0);
    return request.promise;
  },

  /** MULTI now; each command answers "QUEUED" until exec(). */
  async _beginTransaction() {
    const unavailable = this._unavailable();
    if (unavailable !== undefined) throw unavailable;
    if (this._session === null) this._session = new Session(this, Buffer.alloc(0));
    const begun = this._inSession(MULTI, []);
    if (this._session.queued === null) this._session.queued = [];
    return begun;
  },

  async _endTransaction(command, buffer) {
    const session = this._session;
    if (session === null || session.queued === null)
      throw new classes.ReplyError(`ERR ${command.name.toUpperCase()} without MULTI`);
    const ended = this._inSession(command, [], buffer);
    session.end();
    return ended;
  },

  async _executed(buffer) {
    const queued = this._session !== null ? this._session.queued : null;
    const isMixed = !buffer && queued !== null && wantBuffers(queued);
    const values = await this._endTransaction(EXEC, buffer || isMixed);
    return values === null ? null : resultsOfExec(queued, values, isMixed);
  },

  _inSession(command, args, buffer = false) {
    const request = new PromisedRequest(this, command, args, buffer, undefined);
    try {
      request.prepare();
      this._session.send(request, 0);
    } catch (thrown) {
      request.reject(thrown);
    }
    return request.promise;
  },
};

module.exports = { methods };
