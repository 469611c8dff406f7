'use strict';
/**
 * What Redis and Cluster share: the life of one core client, its status and events in the order of
 * ioredis, and the way of a command. Connections, retries and routing are the core's; a subclass
 * says what the core's events mean.
 */

const native = require('./native');
const abort = require('./abort');
const { Commander } = require('./commander');
const { afterCallback } = require('./callbacks');
const { Pipeline } = require('./pipeline');
const sessions = require('./session');
const subscriber = require('./subscriber');
const switching = require('./switching');
const tracing = require('./tracing');
const { PromisedRequest, refusalOf, errorOfFailure } = require('./request');
const { classes, notSent, translating } = require('./errors');

const { REQUEST } = native;
const TIMER_MS_MAX = 2 ** 31 - 1;

/**
 * Milliseconds until the next attempt, by what a retry strategy answered, or null to give up. Any
 * number means an attempt: ioredis hands it to setTimeout, which makes 1 of what it cannot wait.
 */
function delayOfAnswer(answer) {
  if (typeof answer !== 'number') return null;
  return answer >= 1 && answer <= TIMER_MS_MAX ? Math.trunc(answer) : 1;
}

class Client extends Commander {
  /** @param settings what native.create takes: core options, command timeout, event mask. */
  constructor(options, settings) {
    super();
    this.options = options;
    this.status = 'wait';
    this._settings = settings;
    this._mode =
      (options.stringNumbers ? native.MODE_NUMBERS_AS_TEXT : 0) |
      (options.replyMapping === 'resp3' ? native.MODE_NESTED : 0);
    this._firstDb = options.db;
    this._prefix = options.keyPrefix || '';
    this._wantsStack = Boolean(options.showFriendlyErrorStack);
    this._id = null; // of the core client, while there is one
    this._core = null; // {id, pending} of it
    this._held = false; // keeps the process alive
    this._pending = 0; // commands under way
    this._epoch = 0; // calls of connect() that were traced
    this._attempts = 0; // failed ones in a row, as retryStrategy is told
    this._closing = false;
    this._reopen = false; // connect() was called before the last close was done
    this._connecting = false; // a request for a connection is under way
    this._lastError = null;
    this._quitting = null;
    this._isSwitching = false;
    this._waiting = null; // what was issued behind select(), auth() or hello(), see switching.js
    this._subscriber = null; // its subscription of channels, or of MONITOR
    this._session = null; // a connection of its own, between WATCH or MULTI and EXEC
    this._sessions = new Set(); // that one, and those with commands under way
    translating(() => native.check(settings.core));
    for (const [name, definition] of Object.entries(options.scripts || {}))
      this.defineCommand(name, definition);
    if (options.lazyConnect) process.nextTick(() => this.status === 'wait' && this.emit('wait'));
    else this.connect().catch(() => {});
  }

  get _name() {
    return this.constructor.name;
  }

  /** Connects; resolves when commands can be sent, rejects when the first attempt fails. */
  connect(callback) {
    const run = () => this._connect();
    const connected = tracing.isTraced(tracing.CONNECT)
      ? tracing.traceConnect(this, ++this._epoch, run)
      : run();
    return afterCallback(connected, callback);
  }

  _connect() {
    if (['connecting', 'connect', 'ready'].includes(this.status)) {
      return Promise.reject(new Error(`${this._name} is already connecting/connected`));
    }
    return new Promise((resolve, reject) => {
      const settle = (error) => {
        this.removeListener('ready', onReady);
        this.removeListener('close', onClose);
        if (error) reject(error);
        else resolve();
      };
      const onReady = () => settle();
      const onClose = () => settle(new classes.ClosedError(null, this._lastError || undefined));
      this.once('ready', onReady);
      this.once('close', onClose);
      try {
        this._open();
      } catch (error) {
        settle(error);
      }
    });
  }

  _open() {
    this._quitting = null;
    this._setStatus('connecting');
    this._hold(true);
    if (this._closing) this._reopen = true;
    else this._openCore();
  }

  _openCore() {
    if (this._id === null) {
      const { core, timeoutMs, eventMask } = this._settings;
      this._id = translating(() => native.create(core, timeoutMs, eventMask, this));
      this._core = { id: this._id, pending: 0 };
      this._attempts = 0;
      if (this._subscriber !== null) this._subscriber.resume();
    }
    this._requestConnection();
  }

  /** Asks the core for a connection although no command needs one; events tell what comes of it. */
  _requestConnection() {
    if (this._connecting) return;
    this._connecting = true;
    const id = this._id;
    const settle = (kind, value) => {
      this._connecting = false;
      if (id === this._id && !this._closing)
        this._onConnectOutcome(kind === native.KIND_VALUE, value);
    };
    native.pushConnect(id, { settle }, this._connectFlags);
  }

  get _connectFlags() {
    return REQUEST.CONNECT;
  }

  _onConnectOutcome() {}

  _hold(hold) {
    if (hold !== this._held) native.hold(hold ? 1 : -1);
    this._held = hold;
  }

  /** The status changes at once, its event comes on the next tick, as in ioredis. */
  _setStatus(status, argument) {
    this.status = status;
    process.nextTick(() => this.emit(status, argument));
  }

  /**
   * An error nobody listens for is printed, never thrown: a cache that is down must not end the
   * program.
   */
  _emitError(error) {
    this._lastError = error;
    process.nextTick(() => {
      if (this.listenerCount('error') > 0) this.emit('error', error);
      else console.error('[tendon] Unhandled error event:', error);
    });
  }

  /** Closes now; commands under way reject with "Connection is closed.". */
  disconnect(reconnect = false) {
    if (this.status === 'end' && !this._reopen) return;
    if (reconnect && this._id !== null && !this._closing) {
      native.disconnect(this._id);
      this._onDisconnected();
      return;
    }
    this._reopen = false;
    this._close();
  }

  end() {
    this.disconnect();
  }

  _onDisconnected() {}

  _close() {
    if (this._id === null) {
      if (this.status !== 'end') this._end();
    } else if (!this._closing) {
      this._closing = true;
      for (const session of this._sessions) session.close();
      if (this._subscriber !== null) this._subscriber.detach();
      this._session = null;
      native.close(this._id);
    }
  }

  /** No more attempts: retryStrategy said so. Commands that wait fail. */
  _giveUp() {
    this._setStatus('end');
    this._close();
  }

  /** The core client is gone and every command of it is settled. */
  _onEnded() {
    this._id = null;
    this._core = null;
    this._closing = false;
    this._passOn();
    this._connecting = false;
    if (this._reopen) {
      this._reopen = false;
      this._openCore();
      return;
    }
    this._hold(false);
    if (this.status !== 'end') this._end();
    else this._resolveQuit();
  }

  _end() {
    this._setStatus('close');
    this._setStatus('end');
    this._resolveQuit();
  }

  _resolveQuit() {
    const quitting = this._quitting;
    this._quitting = null;
    if (quitting) quitting.resolve('OK');
  }

  /** Waits for the commands under way, then closes. */
  quit(callback) {
    return afterCallback(this._quit(), callback);
  }

  _quit() {
    if (this.status === 'end') return Promise.reject(new classes.ClosedError(null));
    if (this._quitting) return this._quitting.promise;
    const quitting = {};
    quitting.promise = new Promise((resolve) => {
      quitting.resolve = resolve;
    });
    this._quitting = quitting;
    if (this._pending === 0) this._close();
    return quitting.promise;
  }

  _onIdle() {
    if (this._quitting && !this._closing) this._close();
  }

  /**
   * The same client with commands that end when `signal` aborts: they reject with an AbortError,
   * whose `executed` says whether the server got that far.
   */
  withAbortSignal(signal) {
    return new Abortable(this, signal);
  }

  pipeline(commands) {
    return this._pipeline(commands, false, undefined);
  }

  _pipeline(commands, transaction, signal) {
    const pipeline = new Pipeline(this, transaction, signal);
    this._lendScripts(pipeline);
    if (Array.isArray(commands)) pipeline.addBatch(commands);
    return pipeline;
  }

  multi(commands, options) {
    return this._multi(commands, options, undefined);
  }

  _multi(commands, options, signal) {
    const last = options || (Array.isArray(commands) ? undefined : commands);
    if (last && last.pipeline === false) return this._beginTransaction();
    return this._pipeline(commands, true, signal);
  }

  /** Always 0: commands of one tick are written together without being queued here. */
  get autoPipelineQueueSize() {
    return 0;
  }

  /** Figures of the core: connections, retries, errors. Not in ioredis. */
  stats() {
    if (this._id === null) return null;
    return translating(() => native.stats(this._id));
  }

  /** What reconnectOnError says to an error reply: whether its command is sent again. */
  _onErrorReply(error) {
    const { reconnectOnError } = this.options;
    const answer = typeof reconnectOnError === 'function' ? reconnectOnError(error) : false;
    if (answer) this.disconnect(true);
    return answer === 2;
  }

  _errorOfFailure(failure) {
    /* Leases and subscriptions end before their client does, and cancel what they carry. */
    if (failure.status === 'CANCELLED' && this._closing) return new classes.ClosedError(failure);
    return errorOfFailure(failure, this.options, this._lastError, this.status === 'end');
  }

  /** Why no command can be issued now, or undefined; starts a lazy client. */
  _unavailable() {
    if (this.status === 'end' || this._quitting || (this._closing && !this._reopen))
      return new classes.ClosedError(null);
    if (this.status === 'wait') this.connect().catch(() => {});
    if (this.status === 'ready' || this.options.enableOfflineQueue) return undefined;
    return notSent(this._notReadyMessage);
  }

  /** Why the mode of the client does not let this command through, or undefined. */
  _restriction(command) {
    if (this._subscriber === null || this.mode === 'normal' || command.lowerName === 'ping')
      return undefined;
    return notSent(`Connection in ${this.mode} mode, only ${this.mode} commands may be used`);
  }

  /**
   * "subscriber" only with protocol 2 asked for, as a program for ioredis expects; here commands
   * have other connections than subscriptions.
   */
  get mode() {
    if (this._subscriber === null) return 'normal';
    if (this.options.monitor === true) return 'monitor';
    return this.options.protocol === 2 && this._subscriber.isActive ? 'subscriber' : 'normal';
  }

  /** Why this request is not sent, or undefined. */
  _refusal(request, flags) {
    const unavailable = this._unavailable() || this._restriction(request.command);
    if (unavailable !== undefined) return unavailable;
    const { command } = request;
    const refused = command.refused !== undefined && (flags & REQUEST.ATOMIC_END) === 0;
    return refused ? refusalOf(command) : undefined;
  }

  /** Sends one prepared request, or fails it with the reason. */
  _send(request, flags) {
    if (this._waiting !== null) this._waiting.push({ request, flags });
    else this._sendNow(request, flags);
  }

  _sendNow(request, flags) {
    const refusal = this._refusal(request, flags);
    if (refusal !== undefined) return request.fail(refusal);
    const session = this._session;
    try {
      if (session !== null && session.takes(request, flags)) session.send(request, flags);
      else request.send(this._id, flags);
    } catch (thrown) {
      request.fail(thrown);
    }
  }

  _command(command, args, buffer, callback) {
    return this._issue(command, args, buffer, callback, undefined);
  }

  _issue(command, args, buffer, callback, signal) {
    const promise = tracing.isTraced(tracing.COMMAND)
      ? tracing.traceCommand(this, command, args, () =>
          this._promised(command, args, buffer, signal),
        )
      : this._promised(command, args, buffer, signal);
    return callback === undefined ? promise : afterCallback(promise, callback);
  }

  _promised(command, args, buffer, signal) {
    const request = new PromisedRequest(this, command, args, buffer, signal);
    try {
      request.prepare();
      this._send(request, 0);
    } catch (thrown) {
      request.reject(thrown);
    }
    return request.promise;
  }
}

/** What withAbortSignal() gives: every command and pipeline of a client, with the signal. */
class Abortable extends Commander {
  constructor(client, signal) {
    super();
    abort.check(signal);
    this._client = client;
    this._signal = signal;
    client._lendScripts(this);
  }

  pipeline(commands) {
    return this._client._pipeline(commands, false, this._signal);
  }

  multi(commands, options) {
    return this._client._multi(commands, options, this._signal);
  }

  _command(command, args, buffer, callback) {
    return this._client._issue(command, args, buffer, callback, this._signal);
  }
}

Object.assign(Client.prototype, sessions.methods, switching.methods, subscriber.methods);

module.exports = { Client, delayOfAnswer };
