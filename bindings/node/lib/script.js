'use strict';
/**
 * Lua scripts as commands: sent by their hash, and once as a whole to a server that does not know
 * them.
 */

const { createHash } = require('node:crypto');
const { REQUEST } = require('./native');
const { Info } = require('./commands');
const { splitCallback } = require('./callbacks');

class ScriptInfo extends Info {
  constructor({ lua, numberOfKeys, readOnly }) {
    super('evalsha');
    this.lua = lua;
    this.sha = createHash('sha1').update(lua).digest('hex');
    this.numberOfKeys = numberOfKeys;
    this.flags = readOnly ? REQUEST.READ_ONLY : 0;
  }

  /** The arguments of EVALSHA. Without numberOfKeys a call begins with it. */
  complete(args) {
    return typeof this.numberOfKeys === 'number'
      ? [this.sha, String(this.numberOfKeys), ...args]
      : [this.sha, ...args];
  }
}

function check(name, definition) {
  if (typeof name !== 'string' || name === '')
    throw new TypeError('defineCommand() wants a name for the script');
  if (!definition || (typeof definition.lua !== 'string' && !Buffer.isBuffer(definition.lua)))
    throw new TypeError(`The script "${name}" wants its source as the string lua`);
  const count = definition.numberOfKeys;
  if (count !== undefined && count !== null && !(Number.isInteger(count) && count >= 0))
    throw new TypeError(`numberOfKeys of the script "${name}" wants a whole number from 0`);
}

/** Gives `target`, one object, the script as a method and its twin. */
function define(target, name, info) {
  const method =
    (buffer) =>
    (...args) =>
      target._command(info, args, buffer, splitCallback(args));
  target[name] = method(false);
  target[`${name}Buffer`] = method(true);
}

module.exports = { ScriptInfo, check, define };
