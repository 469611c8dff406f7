'use strict';
/**
 * Publish/subscribe: one subscription of the core per client, whose messages become events of the
 * client. Other commands go on as ever, on connections of their own.
 */

const native = require('./native');
const { commandOf } = require('./commands');
const { afterCallback, splitCallback } = require('./callbacks');
const { PromisedRequest } = require('./request');
const { classes, fromFailure } = require('./errors');

const { EVENT } = native;
const KINDS = ['subscribe', 'psubscribe', 'ssubscribe'];
const GIVING_UP = {
  unsubscribe: 'subscribe',
  punsubscribe: 'psubscribe',
  sunsubscribe: 'ssubscribe',
};

/* Parts of a message are strings when they are short and ASCII, which is the same in both. */
const bufferOf = (part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part);

class Subscriber {
  constructor(client) {
    this.client = client;
    this.id = null; // of the core's subscription, while there is one
    /* What is subscribed, by kind: bytes as latin1 -> name; goes on with the next core client. */
    this.names = Object.fromEntries(KINDS.map((kind) => [kind, new Map()]));
  }

  get isActive() {
    return KINDS.some((kind) => this.names[kind].size > 0);
  }

  /** Sends a command of the subscription; resolves with how many there are. */
  async send(name, args) {
    const { client } = this;
    if (this.id === null) this.id = native.subscription(client._id, this);
    const request = new PromisedRequest(client, commandOf(name), args, false, undefined);
    request.prepare();
    this.note(name, request.args);
    request.send(this.id, 0);
    try {
      return await request.promise;
    } catch (error) {
      if (error instanceof classes.ReplyError && KINDS.includes(name))
        this.forget(name, request.args);
      throw error;
    }
  }

  note(name, args) {
    const kind = GIVING_UP[name];
    if (kind !== undefined) this.forget(kind, args);
    else if (KINDS.includes(name))
      for (const each of args) this.names[name].set(Buffer.from(each).toString('latin1'), each);
  }

  /** No names mean all of the kind. */
  forget(kind, args) {
    if (args.length === 0) this.names[kind].clear();
    for (const each of args) this.names[kind].delete(Buffer.from(each).toString('latin1'));
  }

  /** The core client is another one: everything is subscribed again there. */
  resume() {
    for (const kind of KINDS) {
      const names = [...this.names[kind].values()];
      if (names.length === 0) continue;
      if (this.id === null) this.id = native.subscription(this.client._id, this);
      const request = new PromisedRequest(this.client, commandOf(kind), names, false, undefined);
      request.promise.catch((error) => this.client._emitError(error));
      request.send(this.id, 0);
    }
  }

  detach() {
    if (this.id !== null) native.endSubscription(this.id);
    this.id = null;
  }

  _onEvent(event, value) {
    if (this.id === null) return;
    if (event === EVENT.MESSAGE) this.onMessage(value);
    else if (event === EVENT.GAP) this.client.emit('gap', value.delay);
    else if (event === EVENT.FAILED && value.failure) this.onFailed(value.failure);
    else if (event === EVENT.CLOSED && this.client.options.autoResubscribe === false) this.drop();
  }

  _onEnded() {}

  /* A server that cannot be reached is told of by the client's own connection. */
  onFailed(failure) {
    if (failure.errorClass !== undefined && this.client.status === 'ready')
      this.client._emitError(fromFailure(failure));
  }

  /** With autoResubscribe: false a lost connection ends all subscriptions. */
  drop() {
    this.detach();
    for (const kind of KINDS) this.names[kind].clear();
  }

  onMessage(parts) {
    const kind = String(parts[0]);
    const data = parts[parts.length - 1];
    const channel = parts[parts.length - 2];
    switch (kind) {
      case 'message':
      case 'smessage':
        this.tell(kind, [], channel, data);
        break;
      case 'pmessage':
        this.tell(kind, [String(parts[1])], channel, data);
        break;
      default: // a confirmation; the command's own outcome has told
    }
  }

  /** Nobody pays for the form nobody listens for. */
  tell(kind, pattern, channel, data) {
    const { client } = this;
    const bytesKind = `${kind}Buffer`;
    if (client.listenerCount(kind) > 0)
      client.emit(kind, ...pattern, String(channel), String(data));
    if (client.listenerCount(bytesKind) > 0)
      client.emit(bytesKind, ...pattern, bufferOf(channel), bufferOf(data));
  }
}

/* What Client.prototype gets. */
const methods = {
  async _subscription(name, args) {
    const unavailable = this._unavailable();
    if (unavailable !== undefined) throw unavailable;
    if (KINDS.includes(name) && args.length === 0)
      throw new classes.ReplyError(`ERR wrong number of arguments for '${name}' command`);
    if (this._subscriber === null) {
      if (GIVING_UP[name] !== undefined) return 0;
      this._subscriber = new Subscriber(this);
    }
    return this._subscriber.send(name, args);
  },
};
for (const name of [...KINDS, ...Object.keys(GIVING_UP)]) {
  methods[name] = function (...args) {
    const callback = splitCallback(args);
    return afterCallback(this._subscription(name, args.flat()), callback);
  };
}

module.exports = { methods };
