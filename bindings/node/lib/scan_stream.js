'use strict';
/** SCAN and its family as streams: one array per page, until the server's cursor is back at 0. */

const { Readable } = require('node:stream');

class ScanStream extends Readable {
  /** @param options {redis, command, key, match, count, type, noValues} */
  constructor(options) {
    super({ ...options, objectMode: true });
    this._options = options;
    this._cursor = '0';
    this._isDrained = false;
  }

  _read() {
    if (this._isDrained) {
      this.push(null);
      return;
    }
    const { redis, command } = this._options;
    redis[command](...this._arguments()).then(
      ([cursor, page]) => {
        this._cursor = String(cursor);
        if (this._cursor === '0') this._isDrained = true;
        this.push(page);
      },
      (error) => this.destroy(error),
    );
  }

  _arguments() {
    const { key, match, count, type, noValues } = this._options;
    const args = key === undefined ? [this._cursor] : [key, this._cursor];
    if (match) args.push('MATCH', match);
    if (type) args.push('TYPE', type);
    if (count) args.push('COUNT', String(count));
    if (noValues) args.push('NOVALUES');
    return args;
  }

  /** No page after the one under way. */
  close() {
    this._isDrained = true;
  }
}

/** Gives `prototype` the stream methods of these commands. */
function install(prototype, commands) {
  for (const command of commands) {
    for (const [method, twin] of [
      [`${command}Stream`, command],
      [`${command}BufferStream`, `${command}Buffer`],
    ]) {
      prototype[method] = function (...args) {
        const [key, options] = command === 'scan' ? [undefined, args[0]] : args;
        return new ScanStream({ ...options, key, redis: this, command: twin });
      };
    }
  }
}

module.exports = { ScanStream, install };
