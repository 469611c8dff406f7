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
const KIND_ENDED = 3;
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
};
const MODE_BUFFER = 1;
const MODE_NUMBERS_AS_TEXT = 2;
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
const { slots, kinds } = addon;
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

function deliver(count, ...values) {
  for (let i = 0; i < count; i++) {
    const kind = kinds[i];
    if (kind < KIND_ENDED) {
      releaseSlot(slots[i]).settle(kind, values[i]);
      continue;
    }
    const client = clients.get(slots[i]);
    if (kind === KIND_ENDED) {
      clients.delete(slots[i]);
      if (client) client._onEnded(slots[i]);
    } else if (client) {
      client._onEvent(kind - KIND_EVENT, values[i]);
    }
  }
}

/** Hands one command to the core. `args` are strings and Buffers, the name first. */
function push(client, item, mode, flags, args) {
  const slot = takeSlot(item);
  const meta = mode | (flags << 8);
  try {
    if (args.length > PUSH_ARGUMENTS_MAX) addon.pushArray(client, slot, meta, args);
    else addon.push(client, slot, meta, ...args);
  } catch (error) {
    releaseSlot(slot);
    throw error;
  }
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
  push,
  create,
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
