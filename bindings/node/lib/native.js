'use strict';
/**
 * The addon and the table of requests under way in this JavaScript thread. A request is a slot
 * number; the addon hands back slot and value, many at a time, and this file finds who waits for
 * it.
 */

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { classes } = require('./errors');

/* What the addon writes into `kinds`, see src/addon.h. */
const KIND_VALUE = 0;
const KIND_SERVER_ERROR = 1;
const KIND_FAILURE = 2;
const KIND_BYTES = 3;
const KIND_ENDED = 4;
const KIND_EVENT = 16;

const REQUEST = {
  ATOMIC: 16,
  ATOMIC_END: 32,
  CONNECT: 64,
  READ_ONLY: 1,
  IDEMPOTENT: 2,
  NO_RETRY: 4,
};
const EVENT = {
  CONNECTING: 1,
  CONNECTED: 2,
  READY: 3,
  CLOSED: 4,
  FAILED: 5,
  RECONNECTING: 6,
  WAITING: 7,
  TOPOLOGY: 8,
  PUSH: 9,
  MESSAGE: 12,
  GAP: 13,
};
const MODE_BUFFER = 1;
const MODE_NUMBERS_AS_TEXT = 2;
const MODE_CANCELLABLE = 4;
const MODE_NESTED = 8;
const PUSH_ARGUMENTS_MAX = 13;

function findAddon() {
  const places = [
    process.env.TENDON_NODE_ADDON,
    process.env.TENDON_OUT && path.join(process.env.TENDON_OUT, 'tendon.node'),
    path.join(__dirname, '..', 'out', 'tendon.node'),
  ];
  const found = places.find((place) => place && fs.existsSync(place));
  if (found) return found;
  throw new Error(
    `tendon: the native addon is not built; run ${path.join(__dirname, '..', 'build')}`,
  );
}

/* Node exports its own OpenSSL; RTLD_DEEPBIND keeps libtendon on the one it was linked to. */
function loadAddon() {
  const module = { exports: {} };
  const { RTLD_NOW, RTLD_DEEPBIND } = os.constants.dlopen;
  process.dlopen(module, findAddon(), RTLD_NOW | (RTLD_DEEPBIND || 0));
  return module.exports;
}

const addon = loadAddon();
const { slots, kinds, flushIsDue } = addon;
const items = [];
const freeSlots = [];
const clients = new Map();

/** Gives `item` ({settle(kind, value)}) a slot until its one outcome has come. */
function takeSlot(item) {
  const slot = freeSlots.length > 0 ? freeSlots.pop() : items.length;
  items[slot] = item;
  return slot;
}

function releaseSlot(slot) {
  const item = items[slot];
  items[slot] = undefined;
  freeSlots.push(slot);
  return item;
}

function deliverOne(kind, slot, value) {
  if (kind < KIND_BYTES) {
    releaseSlot(slot).settle(kind, value);
    return;
  }
  if (kind === KIND_BYTES) {
    releaseSlot(slot).settle(KIND_VALUE, Buffer.from(value, 'latin1'));
    return;
  }
  const client = clients.get(slot);
  if (kind === KIND_ENDED) clients.delete(slot);
  if (!client) return;
  if (kind === KIND_ENDED) client._onEnded(slot);
  else client._onEvent(kind - KIND_EVENT, value);
}

/* An exception of one outcome, such as out of a retryStrategy, must not cost the others theirs. */
function deliver(count, ...values) {
  for (let i = 0; i < count; i++) {
    try {
      deliverOne(kinds[i], slots[i], values[i]);
    } catch (error) {
      process.nextTick(() => {
        throw error;
      });
    }
  }
}

/* Taken now, because tests with fake timers replace it. */
const { nextTick } = process;

/* One flush for everything this tick asks for. While values are delivered the addon has its own. */
function flushLater() {
  if (flushIsDue[0] === 1) return;
  flushIsDue[0] = 1;
  nextTick(addon.flush);
}

function pushNow(client, slot, meta, name, args) {
  switch (args.length) {
    case 0:
      return addon.push(client, slot, meta, name);
    case 1:
      return addon.push(client, slot, meta, name, args[0]);
    case 2:
      return addon.push(client, slot, meta, name, args[0], args[1]);
    default:
      return args.length < PUSH_ARGUMENTS_MAX
        ? addon.push(client, slot, meta, name, ...args)
        : addon.pushArray(client, slot, meta, [name, ...args]);
  }
}

/** Hands one command to the core and gives its slot. `args` are strings and Buffers. */
function push(client, item, mode, flags, name, args) {
  const slot = takeSlot(item);
  try {
    pushNow(client, slot, mode | (flags << 8), name, args);
  } catch (error) {
    releaseSlot(slot);
    throw error;
  }
  flushLater();
  return slot;
}

/** Asks for a connection: an item without a command. */
function pushConnect(client, item, flags) {
  addon.push(client, takeSlot(item), flags << 8);
  flushLater();
}

/**
 * Borrows a connection of a client, in a cluster one to the node of `key`, a Buffer; the lease is
 * pushed to as a client is. `item` is settled when it is there.
 */
function lease(client, key, item) {
  const slot = takeSlot(item);
  try {
    return addon.lease(client, slot, key);
  } catch (error) {
    releaseSlot(slot);
    throw error;
  }
}

/** A subscription of a client; its events go to `owner`. */
function subscription(client, owner) {
  const id = addon.subscription(client);
  clients.set(id, owner);
  return id;
}

/** Events of a core client go to `owner` from here on. */
function own(id, owner) {
  clients.set(id, owner);
}

/** Makes a core client whose events go to `owner`. */
function create(options, timeoutMs, eventMask, owner) {
  const id = addon.create(options, timeoutMs, eventMask);
  clients.set(id, owner);
  return id;
}

addon.start(deliver, (text) => new classes.ReplyError(text));

module.exports = {
  KIND_VALUE,
  KIND_SERVER_ERROR,
  KIND_FAILURE,
  REQUEST,
  EVENT,
  MODE_BUFFER,
  MODE_NUMBERS_AS_TEXT,
  MODE_CANCELLABLE,
  MODE_NESTED,
  push,
  pushConnect,
  create,
  lease,
  own,
  subscription,
  endSubscription: addon.endSubscription,
  endLease: addon.endLease,
  keySlot: addon.keySlot,
  cancel: addon.cancel,
  check: addon.check,
  close: addon.close,
  hold: addon.hold,
  reconnect: addon.reconnect,
  disconnect: addon.disconnect,
  nodes: addon.nodes,
  stats: addon.stats,
  version: addon.version,
  tlsVersion: addon.tlsVersion,
};
