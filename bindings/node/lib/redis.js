'use strict';
/**
 * One server, or a primary with its replicas behind one endpoint: the class Redis of ioredis. The
 * core tells of each connection; this file turns that into statuses and asks retryStrategy what to
 * do.
 */

const native = require('./native');
const { Client, delayOfAnswer } = require('./client');
const { fromFailure } = require('./errors');
const options = require('./options');
const { Monitor } = require('./monitor');
const { afterCallback } = require('./callbacks');
const scanStream = require('./scan_stream');

const { EVENT } = native;
const EVENT_MASK = [
  EVENT.CONNECTING,
  EVENT.CONNECTED,
  EVENT.READY,
  EVENT.CLOSED,
  EVENT.FAILED,
  EVENT.WAITING,
].reduce((mask, event) => mask | (1 << event), 0);

class Redis extends Client {
  constructor(...args) {
    const merged = options.parseArguments(args, options.REDIS_DEFAULTS);
    const core = options.redisToCore(merged);
    super(merged, { core, timeoutMs: options.commandTimeout(merged), eventMask: EVENT_MASK });
    this._toldStatus = null; // of the error the event before this one told
    if (merged.monitor === true) this._startMonitor().catch((error) => this._emitError(error));
  }

  /** A client of its own that emits "monitor" (time, arguments, source, database). */
  monitor(callback) {
    const instance = this.duplicate({ monitor: true, lazyConnect: false });
    const begun = new Promise((resolve, reject) => {
      instance.once('error', reject);
      instance.once('monitoring', () => {
        instance.removeListener('error', reject);
        resolve(instance);
      });
    });
    return afterCallback(begun, callback);
  }

  async _startMonitor() {
    const unavailable = this._unavailable();
    if (unavailable !== undefined) throw unavailable;
    this._subscriber = new Monitor(this);
    await this._subscriber.start();
    process.nextTick(() => this.emit('monitoring'));
  }

  /** Settings of a core client with these options in place of its own. */
  _settingsWith(changes) {
    return { ...this._settings, core: options.redisToCore({ ...this.options, ...changes }) };
  }

  get isCluster() {
    return false;
  }

  get _notReadyMessage() {
    return "Stream isn't writeable and enableOfflineQueue options is false";
  }

  /** A new client with the same options, of which `override` replaces some. */
  duplicate(override) {
    return new this.constructor({ ...this.options, ...override });
  }

  /** connect() while the next attempt is only due later: it is made now. */
  _openCore() {
    if (this._id !== null) native.reconnect(this._id, 1);
    super._openCore();
  }

  _onEvent(event, { failure }) {
    if (this._closing) return;
    const told = this._toldStatus;
    this._toldStatus = null;
    switch (event) {
      case EVENT.CONNECTING:
        if (this.status === 'reconnecting') this._setStatus('connecting');
        break;
      case EVENT.CONNECTED:
        if (this.status === 'connecting') this._setStatus('connect');
        break;
      case EVENT.READY:
        this._attempts = 0;
        if (this.status === 'connecting' || this.status === 'connect') this._setStatus('ready');
        break;
      case EVENT.FAILED:
        if (failure && failure.status !== told) this._emitError(fromFailure(failure));
        break;
      case EVENT.CLOSED:
        if (!failure || failure.status === 'DISCONNECTED') break;
        /* A refused handshake is CLOSED and directly after that FAILED: one error, told once. */
        this._toldStatus = failure.status;
        this._emitError(fromFailure(failure));
        break;
      case EVENT.WAITING:
        this._retry();
        break;
      default:
    }
  }

  /**
   * The connection is gone, or could not be made: retryStrategy says when to try again, if at all.
   */
  _retry() {
    this._setStatus('close');
    const { retryStrategy } = this.options;
    this._attempts++;
    const answer = typeof retryStrategy === 'function' ? retryStrategy(this._attempts) : null;
    const delay = delayOfAnswer(answer);
    if (delay === null) {
      this._giveUp();
      return;
    }
    this._setStatus('reconnecting', answer);
    native.reconnect(this._id, delay);
    this._requestConnection();
  }

  /** A connection is there. Events have said so, unless it was there all the time. */
  _onConnectOutcome(connected) {
    if (connected && this.status !== 'ready') this._setStatus('ready');
    else if (!connected && this.status === 'reconnecting') this._requestConnection();
  }

  /** Dropped on request: as a lost one, retryStrategy says when the next is opened. */
  _onDisconnected() {
    if (this.status === 'ready') this._retry();
  }
}

scanStream.install(Redis.prototype, ['scan', 'sscan', 'hscan', 'zscan']);

module.exports = { Redis };
