'use strict';
/**
 * A command as an object, for sendCommand(), and the hooks a program sets for all commands of a
 * name.
 */

const { commandOf, setArgumentTransformer, setReplyTransformer } = require('./commands');
const { afterCallback } = require('./callbacks');
const { REQUEST } = require('./native');

class Command {
  /** @param options replyEncoding: null gives Buffers; readOnly: it may run on a replica. */
  constructor(name, args = [], options = {}, callback = undefined) {
    this.name = name;
    this.args = args.flat();
    this._buffer = options.replyEncoding === null || options.replyEncoding === undefined;
    this._isReadOnly = Boolean(options.readOnly);
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    if (callback) afterCallback(this.promise, callback);
  }

  static setArgumentTransformer(name, transform) {
    setArgumentTransformer(name, transform);
  }

  static setReplyTransformer(name, transform) {
    setReplyTransformer(name, transform);
  }

  _sendBy(commander) {
    const known = commandOf(this.name);
    const info = this._isReadOnly
      ? Object.assign(Object.create(known), { flags: REQUEST.READ_ONLY })
      : known;
    const settle = (error, value) => (error ? this.reject(error) : this.resolve(value));
    const sent = commander._command(info, this.args, this._buffer, settle);
    return commander.isPipeline ? sent : this.promise;
  }
}

module.exports = { Command };
