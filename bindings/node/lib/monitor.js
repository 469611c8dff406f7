'use strict';
/** MONITOR: a client of its own that emits every command the server executes. */

const native = require('./native');
const { commandOf } = require('./commands');
const { PromisedRequest } = require('./request');

const LINE = /^(\d+\.\d+) \[(\d+) ([^\]]*)\] (.*)$/s;
const ESCAPES = { n: '\n', r: '\r', t: '\t', a: '\x07', b: '\b' };

/** One quoted argument without its quotes, as bytes the server shows escaped. */
function unescape(quoted) {
  const bytes = quoted.replace(/\\(x([0-9a-f]{2})|(.))/gs, (_, all, hex, letter) =>
    hex === undefined ? ESCAPES[letter] || letter : String.fromCharCode(parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString();
}

/** {time, args, source, database} of a line, or null. */
function parse(line) {
  const found = LINE.exec(line);
  if (!found) return null;
  const [, time, database, source, rest] = found;
  const args = [...rest.matchAll(/"((?:[^"\\]|\\.)*)"/gs)].map(([, quoted]) => unescape(quoted));
  return { time, args, source, database };
}

class Monitor {
  constructor(client) {
    this.client = client;
    this.id = null;
  }

  /** Resolves when the server has begun to tell. */
  async start() {
    this.id = native.subscription(this.client._id, this);
    const request = new PromisedRequest(this.client, commandOf('monitor'), [], false, undefined);
    request.send(this.id, 0);
    await request.promise;
  }

  resume() {
    this.start().catch((error) => this.client._emitError(error));
  }

  detach() {
    if (this.id !== null) native.endSubscription(this.id);
    this.id = null;
  }

  _onEvent(event, value) {
    if (this.id === null) return;
    if (event === native.EVENT.GAP) this.client.emit('gap', value.delay);
    if (event !== native.EVENT.MESSAGE) return;
    if (typeof value !== 'string' && !Buffer.isBuffer(value)) return;
    const told = parse(value.toString('latin1'));
    if (told) this.client.emit('monitor', told.time, told.args, told.source, told.database);
  }

  _onEnded() {}
}

module.exports = { Monitor };
