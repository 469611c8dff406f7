'use strict';
/**
 * One method per command name, for everything that takes commands: Redis, Cluster and Pipeline. A
 * subclass says in `_command(command, args, buffer, callback)` what issuing one means.
 */

const { EventEmitter } = require('node:events');
const { NAMES, SESSION_NAMES, commandOf } = require('./commands');
const { splitCallback } = require('./callbacks');
const script = require('./script');
const methods = require('./generated/methods');

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

  /** Methods that send `name`: {string, buffer}. */
  createBuiltinCommand(name) {
    return { string: methodOf(name, false), buffer: methodOf(name, true) };
  }

  /** Gives this object the methods of a command it has none for. */
  addBuiltinCommand(name) {
    this[name] = methodOf(name, false);
    this[`${name}Buffer`] = methodOf(name, true);
  }

  /** A Lua script as a method of this object and of its later pipelines, and its Buffer twin. */
  defineCommand(name, definition) {
    script.check(name, definition);
    const info = new script.ScriptInfo(definition);
    if (this._scripts === undefined) this._scripts = new Map();
    this._scripts.set(name, info);
    script.define(this, name, info);
  }

  /** Defines the scripts of this object on another one that sends through it. */
  _lendScripts(other) {
    if (this._scripts === undefined) return;
    for (const [name, info] of this._scripts) script.define(other, name, info);
  }

  /** Sends a Command object; gives its promise, in a pipeline the pipeline. */
  sendCommand(command) {
    return command._sendBy(this);
  }
}

function methodOf(name, buffer) {
  const info = commandOf(name);
  return function (...args) {
    return this._command(info, args, buffer, splitCallback(args));
  };
}

Commander.prototype.send_command = Commander.prototype.call;
methods.install(Commander.prototype);

/* Commands that change the connection they run on; a client has methods of its own for them. */
for (const name of SESSION_NAMES) Commander.prototype[name] = methodOf(name, false);

module.exports = { Commander };
