'use strict';
/**
 * SELECT, AUTH and HELLO: what they change holds for every connection, so the client goes on with
 * new ones, once the commands issued before are answered; those issued after wait for that. One
 * that is refused (no such database, wrong password) changes nothing.
 */

const native = require('./native');
const { afterCallback, splitCallback } = require('./callbacks');
const { classes, fromFailure, translating } = require('./errors');
const { commandOf } = require('./commands');
const { Request } = require('./request');

const { REQUEST } = native;
const HELLO = commandOf('hello');
const NOBODY = { _onEvent() {}, _onEnded() {} };

/** The error a server gave within a handshake, as one of a command. */
function errorOfHandshake(failure, name) {
  const error = fromFailure(failure);
  if (failure.status !== 'HANDSHAKE') return error;
  const found = /(?:ERR|NOPERM|WRONGPASS|NOAUTH|NOPROTO) .*$/.exec(failure.message);
  const reply = new classes.ReplyError(found ? found[0] : failure.message);
  reply.command = { name };
  reply.executed = failure.executed;
  return reply;
}

/** The options that HELLO's arguments stand for. */
function optionsOfHello(args) {
  const words = args.map(String);
  const options = {};
  if (words.length > 0) options.protocol = Number(words[0]);
  for (let i = 1; i < words.length; i++) {
    const word = words[i].toUpperCase();
    if (word === 'AUTH') [options.username, options.password] = words.slice(i + 1, (i += 2) + 1);
    else if (word === 'SETNAME') options.connectionName = words[++i];
    else throw new classes.ReplyError(`ERR Syntax error in HELLO option '${words[i]}'`);
  }
  return options;
}

/** HELLO's reply, asked for on a connection of its own. */
class HelloRequest extends Request {
  constructor(client, buffer) {
    super(client, HELLO, [], buffer, undefined);
    this.promise = new Promise((resolve, reject) => {
      this.done = (error, value) => (error === null ? resolve(value) : reject(error));
    });
  }

  ask() {
    const lease = native.lease(this.client._id, Buffer.alloc(0), { settle() {} });
    this.send(lease, 0);
    return this.promise.finally(() => native.endLease(lease));
  }
}

/* What Client.prototype gets. */
const methods = {
  select(index, callback) {
    const switched = this._switch({ db: index }, 'select').then(() => {
      process.nextTick(() => this.emit('select', Number(index)));
      return 'OK';
    });
    return afterCallback(switched, callback);
  },

  /** auth([username,] password): for all connections from now on. */
  auth(...args) {
    const callback = splitCallback(args);
    const [password, username = null] = args.reverse();
    const switched = this._switch({ username, password }, 'auth');
    return afterCallback(
      switched.then(() => 'OK'),
      callback,
    );
  },

  hello(...args) {
    const callback = splitCallback(args);
    return afterCallback(this._hello(args.flat(), false), callback);
  },

  helloBuffer(...args) {
    const callback = splitCallback(args);
    return afterCallback(this._hello(args.flat(), true), callback);
  },

  /** Ends WATCH and MULTI, and goes back to the database of the options. */
  reset(callback) {
    if (this._session !== null) this._session.end();
    const db = this._firstDb;
    const done = this.options.db === db ? Promise.resolve() : this._switch({ db }, 'reset');
    return afterCallback(
      done.then(() => 'RESET'),
      callback,
    );
  },

  async _hello(args, buffer) {
    const changes = optionsOfHello(args);
    if (Object.keys(changes).length > 0) await this._switch(changes, 'hello');
    else if (this._unavailable() !== undefined) throw this._unavailable();
    return new HelloRequest(this, buffer).ask();
  },

  /** Goes on with other options, after the commands issued before and before those issued after. */
  async _switch(changes, name) {
    const unavailable = this._unavailable();
    if (unavailable !== undefined) throw unavailable;
    if (this._session !== null)
      throw new classes.RedisError(`${name}() is not possible between watch() and exec()`);
    const settings = this._settingsWith(changes);
    translating(() => native.check(settings.core));
    const isFree = this._waiting === null && this._core.pending === 0;
    if (this._waiting === null) this._waiting = [];
    if (isFree) this._isSwitching = true;
    else await new Promise((resolve) => this._waiting.push({ resolve }));
    try {
      const gone = this._unavailable();
      if (gone !== undefined) throw gone;
      await this._tryOut({ ...this.options, ...changes }, settings, name);
    } finally {
      this._isSwitching = false;
      this._passOn();
    }
  },

  /** Puts a client of these settings in place of the present one, when it can be reached. */
  async _tryOut(options, settings, name) {
    const { core, timeoutMs, eventMask } = settings;
    const id = translating(() => native.create(core, timeoutMs, eventMask, NOBODY));
    const failure = await reached(id);
    if (failure !== null || this._closing || this._id === null) {
      native.close(id);
      throw failure === null ? new classes.ClosedError(null) : errorOfHandshake(failure, name);
    }
    if (this._subscriber !== null) this._subscriber.detach();
    native.own(this._id, NOBODY);
    native.close(this._id);
    native.own(id, this);
    this.options = options;
    this._settings = settings;
    this._attempts = 0;
    this._id = id;
    this._core = { id, pending: 0 };
    if (this._subscriber !== null) this._subscriber.resume();
    if (this._subscriber !== null && this._subscriber.isActive) this.emit('gap', 0);
    if (this.status !== 'ready') this._setStatus('ready');
  },

  /** Lets what waits behind a switch go on, up to the next switch. */
  _passOn() {
    while (this._waiting !== null && !this._isSwitching) {
      const next = this._waiting.shift();
      if (next === undefined) {
        this._waiting = null;
      } else if (next.request !== undefined) {
        this._sendNow(next.request, next.flags);
      } else if (this._core === null || this._core.pending === 0) {
        this._isSwitching = true;
        next.resolve();
      } else {
        this._waiting.unshift(next);
        return;
      }
    }
  },
};

/** null when a core client has a connection, or why it has none. */
function reached(id) {
  return new Promise((resolve) => {
    const settle = (kind, value) => resolve(kind === native.KIND_VALUE ? null : value);
    native.pushConnect(id, { settle }, REQUEST.CONNECT | REQUEST.NO_RETRY);
  });
}

module.exports = { methods };
