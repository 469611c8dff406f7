'use strict';
/**
 * The names of the server's commands, each of which becomes a method, and the few places where a
 * method's arguments or result differ from the wire.
 */

const { NAMES } = require('./generated/commands');

/* Commands that change the connection they run on. The lanes of the core are shared with its own
 * work, so they are refused with the way to get the same. */
const ON_CLIENT = 'it needs a connection of its own; call it on the client';
const REFUSED = {
  subscribe: ON_CLIENT,
  psubscribe: ON_CLIENT,
  ssubscribe: ON_CLIENT,
  unsubscribe: ON_CLIENT,
  punsubscribe: ON_CLIENT,
  sunsubscribe: ON_CLIENT,
  monitor: ON_CLIENT,
  select: 'it changes every connection; call it on the client',
  watch: ON_CLIENT,
  unwatch: ON_CLIENT,
  discard: 'transactions are made with multi()',
  exec: 'transactions are made with multi()',
  auth: 'it changes every connection; call it on the client',
  hello: 'it changes every connection; call it on the client',
  reset: 'it changes every connection; call it on the client',
  readonly: 'set scaleReads of Cluster',
  readwrite: 'set scaleReads of Cluster',
  asking: 'the core follows redirects itself',
  sync: 'a client is not a replica',
  psync: 'a client is not a replica',
  replconf: 'a client is not a replica',
};

/** {a: 1} or a Map that is all there is behind the first `count` arguments becomes field, value, …
 * Elsewhere an object is a value like any other: mset("key", new Date()). */
const objectBehind = (count) => (args) => {
  const last = args[count];
  if (args.length !== count + 1 || typeof last !== 'object' || last === null) return args;
  if (Array.isArray(last) || ArrayBuffer.isView(last)) return args;
  const entries = last instanceof Map ? [...last] : Object.entries(last);
  return [...args.slice(0, count), ...entries.flat()];
};

const ARGUMENT_TRANSFORMERS = {
  mset: objectBehind(0),
  msetnx: objectBehind(0),
  hset: objectBehind(1),
  hmset: objectBehind(1),
};

/** Field, value, … as an object; a field named __proto__ stays a field. */
function pairsToObject(pairs) {
  if (!Array.isArray(pairs)) return pairs;
  const object = {};
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    const key = String(pairs[i]);
    if (key !== '__proto__') object[key] = pairs[i + 1];
    else
      Object.defineProperty(object, key, {
        value: pairs[i + 1],
        enumerable: true,
        configurable: true,
        writable: true,
      });
  }
  return object;
}

/* RESP3 nests these where RESP2 has flat lists; callers see the RESP2 shape whatever the protocol.
 */
function flattenPairs(reply) {
  return Array.isArray(reply) && reply.length > 0 && Array.isArray(reply[0]) ? reply.flat() : reply;
}

/** A RESP3 map of streams arrives as name, entries, …; RESP2 has [name, entries] pairs. */
function pairStreams(reply) {
  if (!Array.isArray(reply) || Array.isArray(reply[0])) return reply;
  const pairs = [];
  for (let i = 0; i + 1 < reply.length; i += 2) pairs.push([reply[i], reply[i + 1]]);
  return pairs;
}

const REPLY_TRANSFORMERS = {
  hgetall: pairsToObject,
  xread: pairStreams,
  xreadgroup: pairStreams,
};
for (const name of [
  'zrange',
  'zrevrange',
  'zrangebyscore',
  'zrevrangebyscore',
  'zunion',
  'zinter',
  'zdiff',
  'zrandmember',
  'zpopmin',
  'zpopmax',
  'hrandfield',
]) {
  REPLY_TRANSFORMERS[name] = flattenPairs;
}

/** The text or bytes of one argument, as the server gets it. */
function toArgument(value) {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') {
    /* Large integers would become 1e+21, which no server reads. */
    return Number.isInteger(value) && !Number.isSafeInteger(value)
      ? BigInt(value).toString()
      : String(value);
  }
  if (value === null || value === undefined) return '';
  if (ArrayBuffer.isView(value)) return value;
  return String(value);
}

function isText(value) {
  return typeof value === 'string';
}

/**
 * Arguments of a method call as the server gets them: lists flattened one level, objects spread.
 */
function toArguments(command, args) {
  if (command.spread === undefined && args.every(isText)) return args;
  const list = command.spread === undefined ? args : command.spread(args);
  const result = [];
  for (const value of list) {
    if (Array.isArray(value)) for (const inner of value) result.push(toArgument(inner));
    else result.push(toArgument(value));
  }
  return result;
}

/** What is known of a command by its name, in any spelling. */
class Info {
  constructor(name) {
    this.name = name;
    this.lowerName = name.toLowerCase();
    this.refused = own(REFUSED, this.lowerName);
    this.spread = own(ARGUMENT_TRANSFORMERS, this.lowerName);
    this.toReply = own(REPLY_TRANSFORMERS, this.lowerName);
    this.hook = own(HOOKS, this.lowerName); // what a program set for replies
    this.lua = undefined; // source of a script
    this.flags = 0; // of its requests
  }
}

const HOOKS = {};

function own(table, name) {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

const SESSION_NAMES = Object.keys(REFUSED);

const KNOWN = new Map(NAMES.map((name) => [name, new Info(name)]));

/* ioredis knows replies by the name as it is written: call('HGETALL', key) gives the plain list. */
const PLAIN_HGETALL = new Info('HGETALL');
PLAIN_HGETALL.toReply = undefined;

function commandOf(name) {
  return KNOWN.get(name) || commandSpelt(name);
}

function commandSpelt(name) {
  const lowerName = name.toLowerCase();
  return lowerName === 'hgetall' ? PLAIN_HGETALL : KNOWN.get(lowerName) || new Info(name);
}

/** `transform` gets the arguments of every later call of this name, lists in them flattened. */
function setArgumentTransformer(name, transform) {
  ARGUMENT_TRANSFORMERS[name] = (args) => transform(args.flat());
  if (KNOWN.has(name)) KNOWN.get(name).spread = ARGUMENT_TRANSFORMERS[name];
}

/** `transform` gets the reply of every later call of this name, in place of what is done here. */
function setReplyTransformer(name, transform) {
  HOOKS[name] = transform;
  if (KNOWN.has(name)) KNOWN.get(name).hook = transform;
}

module.exports = {
  NAMES,
  SESSION_NAMES,
  Info,
  commandOf,
  toArguments,
  setArgumentTransformer,
  setReplyTransformer,
};
