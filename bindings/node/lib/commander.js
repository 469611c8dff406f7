'use strict';
/**
 * One method per command name, for everything that takes commands: Redis, Cluster and Pipeline. A
 * subclass says in `_command(command, args, buffer, callback)` what issuing one means.
 */

const { EventEmitter } = require('node:events');
const { NAMES, commandOf } = require('./commands');

/** Takes the trailing node-style callback off `args`, if there is one. */
function splitCallback(args) {
  return typeof args[args.length - 1] === 'function' ? args.pop() : undefined;
}

class Commander extends EventEmitter {
  /** Sends any command by name; replies are strings. */
  call(name, ...args) {
    const callback = splitCallback(args);
    return this._command(commandOf(String(name)), args, false, callback);
  }

  /** As call; strings of the reply are Buffers. */
  callBuffer(name, ...args) {
    const callback = splitCallback(args);
    return this._command(commandOf(String(name)), args, true, callback);
  }

  getBuiltinCommands() {
    return NAMES.slice();
  }
}

Commander.prototype.send_command = Commander.prototype.call;

for (const name of NAMES) {
  const command = commandOf(name);
  Commander.prototype[name] = function (...args) {
    const callback = splitCallback(args);
    return this._command(command, args, false, callback);
  };
  Commander.prototype[`${name}Buffer`] = function (...args) {
    const callback = splitCallback(args);
    return this._command(command, args, true, callback);
  };
}

/**
 * Calls a node-style callback the way Node does: later, and an exception in it is an uncaught one.
 */
function callLater(callback, error, value) {
  process.nextTick(callback, error, value);
}

/** `promise` after its node-style callback, if there is one: that is first, as in ioredis. */
function afterCallback(promise, callback) {
  if (typeof callback !== 'function') return promise;
  const after = new Promise((resolve, reject) => {
    promise.then(
      (value) => {
        callLater(callback, null, value);
        process.nextTick(resolve, value);
      },
      (error) => {
        callLater(callback, error);
        process.nextTick(reject, error);
      },
    );
  });
  /* The callback has been told; the promise may go unused. */
  after.catch(() => {});
  return after;
}

module.exports = { Commander, splitCallback, callLater, afterCallback };
