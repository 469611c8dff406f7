'use strict';
/**
 * The conformance machine (../../PROTOCOL.md) for the interface of ioredis.
 *
 *     node driver.js NAME MODULE
 *
 * MODULE is the client library: tendon's binding, or ioredis. What a command gives is a promise,
 * which is pushed as it is; only who takes it from the stack waits. The threads of a program are
 * async functions that run side by side.
 */

const fs = require('node:fs');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');
const { frames, frame, tokens } = require('./frames');

const [NAME, MODULE] = process.argv.slice(2);
const Redis = require(path.resolve(MODULE));

const PATIENCE_MS = 30000; // for what comes in milliseconds unless something is broken
const SUBSCRIBE = { channel: 'subscribe', pattern: 'psubscribe', sharded: 'ssubscribe' };
const UNSUBSCRIBE = { channel: 'unsubscribe', pattern: 'punsubscribe', sharded: 'sunsubscribe' };
/* These may run on a connection of their own, where only waiting keeps the order of the program. */
const WAITING_COMMAND = /^(b[lrz]\w*|xread|xreadgroup|wait|waitaof)$/i;
/* All other instructions come after the end of what was sent: they may use another connection. */
const WITHOUT_WAITING = new Set(
  'push dup swap pop concat command method batch batch-end transaction transaction-end'.split(' '),
);

/** A name that could not be made: its connect or subscribe has failed. */
class Missing extends Error {
  get name() {
    return 'Missing';
  }
}

/** What becomes of a call, as a promise that never rejects: every failure is a value. */
async function outcome(call) {
  try {
    return await call();
  } catch (error) {
    return error;
  }
}

/** The same promise; the driver gives up when it takes too long. */
async function within(promise, what) {
  const timer = setTimeout(() => giveUp(`${what} took more than ${PATIENCE_MS} ms`), PATIENCE_MS);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

function giveUp(why) {
  console.error(`driver.js: ${why}`);
  process.exit(1);
}

/* ------------------------------------------------------------------------------------------- */

function newClient(kind, host, port, options) {
  const given = {};
  if (options.protocol) given.protocol = Number(options.protocol);
  if (options.tls_ca) given.tls = { ca: fs.readFileSync(options.tls_ca) };
  if (options.timeout_ms) given.commandTimeout = Number(options.timeout_ms);
  if (kind !== 'cluster') return new Redis({ host, port, ...given });
  /* As ElastiCache's documentation has it: certificates are made out to names. */
  const dnsLookup = (address, callback) => callback(null, address);
  return new Redis.Cluster([{ host, port }], { redisOptions: given, dnsLookup });
}

/** One more client with the same options. One of a client that was closed is that closed one. */
function another(client, options = {}) {
  if (client.status === 'end') return client;
  return client.isCluster ? client.duplicate([], options) : client.duplicate(options);
}

/** Cluster of ioredis sends what it is asked before it is ready in another order than asked. */
async function ready(client) {
  if (NAME !== 'ioredis' || !client.isCluster || client.status === 'ready') return;
  await within(new Promise((resolve) => client.once('ready', resolve)), 'connecting');
}

async function disconnect(client) {
  if (client.status === 'end') return;
  const ended = new Promise((resolve) => client.once('end', resolve));
  client.disconnect();
  /* A client of ioredis that waits for its next attempt ends without that event. */
  await Promise.race([ended, sleep(1000, null, { ref: false })]);
}

/** A client of its own for its channels, and the messages that nobody has taken yet. */
class Subscription {
  constructor(client) {
    this.client = client;
    this.messages = [];
    this.arrived = () => {};
    client.on('messageBuffer', (channel, data) => this.add(['message', null, channel, data]));
    client.on('smessageBuffer', (channel, data) => this.add(['smessage', null, channel, data]));
    client.on('pmessageBuffer', (...parts) => this.add(['pmessage', ...parts]));
  }

  add(message) {
    this.messages.push(message);
    this.arrived();
  }

  async poll(ms) {
    if (this.messages.length === 0) {
      const message = new Promise((resolve) => (this.arrived = resolve));
      await Promise.race([message, sleep(ms)]);
    }
    return this.messages.shift() ?? null;
  }
}

/* ------------------------------------------------------------------------------------------- */

/** A function that calls the method of a client or pipeline that is safe for bytes. */
function method(name, args) {
  if (name === 'zrange_withscores') return (client) => client.zrangeBuffer(...args, 'WITHSCORES');
  return (client) => client[`${name}Buffer`](...args);
}

function command([name, ...args]) {
  return (client) => client.callBuffer(asText(name).toString(), ...args);
}

/** A value as an argument of a command. */
function asText(value) {
  if (Buffer.isBuffer(value) || typeof value === 'string') return Buffer.from(value);
  const isInteger = typeof value === 'bigint' || Number.isInteger(value);
  return Buffer.from(isInteger ? String(BigInt(value)) : 'other');
}

function integerOf(text) {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
}

function floatOf(text) {
  return text.endsWith('inf') ? Number(text.replace('inf', 'Infinity')) : Number(text);
}

/** One thread of a program: its instructions, its stack, its open watches and batches. */
class Thread {
  constructor(program, number) {
    this.program = program;
    this.number = number;
    this.stack = []; // of [index, value]; the value may be a promise
    this.watching = new Map(); // name of a client -> the client that watches in its place
    this.batches = new Map(); // name of a client -> calls that are queued
    this.index = 0;
    this.client = null; // whose commands are under way
  }

  async run(instructions) {
    for (const [index, [name, ...operands]] of instructions.entries()) {
      const word = name.toString();
      if (!Object.hasOwn(INSTRUCTIONS, word)) giveUp(`no such instruction: ${word}`);
      this.index = index;
      if (!WITHOUT_WAITING.has(word)) await this.settle();
      await INSTRUCTIONS[word].call(this, ...operands);
    }
    for (const [index, value] of this.stack) this.report(index, await value);
  }

  report(index, value) {
    this.program.results.push(frame(['result', `${this.number}`, `${index}`, ...tokens(value)]));
  }

  push(value) {
    this.stack.push([this.index, value]);
  }

  async take() {
    if (this.stack.length === 0) giveUp(`${this.number}.${this.index}: the stack is empty`);
    const [index, value] = this.stack.pop();
    return [index, await value];
  }

  /** Waits for all commands under way, as a blocking client would have done. */
  async settle() {
    await Promise.all(this.stack.map(([, value]) => value));
  }

  /** Does what pushes nothing unless it fails. */
  async pushFailure(call) {
    const value = await outcome(call);
    if (value instanceof Error) this.push(value);
  }

  async values(operands) {
    const found = [];
    for (const operand of operands) {
      const kind = String.fromCharCode(operand[0]);
      const text = operand.subarray(1);
      if (kind === '^') found.push(asText((await this.take())[1]));
      else if (kind === '=') found.push(text);
      else if (kind === ':') found.push(integerOf(text.toString()));
      else if (kind === ',') found.push(floatOf(text.toString()));
      else giveUp(`no operand: ${operand}`);
    }
    return found;
  }

  clientOf(name) {
    return this.watching.get(`${name}`) ?? this.program.clientOf(name);
  }

  /**
   * Begins a call and pushes its promise. Only commands of one client keep their order by
   * themselves, and not those that may wait.
   */
  async begin(name, call, waits = false) {
    const client = await outcome(() => this.clientOf(name));
    if (client instanceof Missing) return this.push(client);
    if (client !== this.client || waits) await this.settle();
    this.client = client;
    this.push(outcome(() => call(client)));
    if (waits) await this.settle();
  }

  /** Begins a command, or queues it while a batch of its client is open. */
  async request(name, call, waits) {
    const batch = this.batches.get(`${name}`);
    if (batch === undefined) await this.begin(name, call, waits);
    else batch.push(call);
  }

  /** Sends what is queued in the pipeline that `open` gives: a list of results, or null. */
  async execute(name, open) {
    const calls = this.batches.get(`${name}`);
    this.batches.delete(`${name}`);
    await this.begin(name, async (client) => {
      const pipeline = open(client);
      for (const call of calls) call(pipeline);
      const outcomes = await pipeline.exec();
      return outcomes && outcomes.map(([error, value]) => error ?? value);
    });
  }

  async endWatch(name) {
    const client = this.watching.get(`${name}`);
    if (client === undefined) return;
    await this.settle();
    this.watching.delete(`${name}`);
    await disconnect(client);
  }
}

const INSTRUCTIONS = {
  async push(operand) {
    const [value] = await this.values([operand]);
    this.push(value);
  },

  async dup() {
    const [index, value] = await this.take();
    this.stack.push([index, value], [this.index, value]);
  },

  swap() {
    this.stack.push(...this.stack.splice(-2).reverse());
  },

  async pop() {
    this.report(...(await this.take()));
  },

  async concat() {
    const [, b] = await this.take();
    const [, a] = await this.take();
    this.push(Buffer.concat([asText(a), asText(b)]));
  },

  async connect(name, kind, host, port, ...words) {
    const options = {};
    for (let i = 0; i < words.length; i += 2) options[words[i]] = words[i + 1].toString();
    const make = () => newClient(`${kind}`, `${host}`, Number(port), options);
    await this.pushFailure(async () => {
      const client = this.program.opened(make());
      this.program.clients.set(`${name}`, client);
      await ready(client);
    });
  },

  async command(name, ...operands) {
    const words = await this.values(operands);
    await this.request(name, command(words), WAITING_COMMAND.test(asText(words[0])));
  },

  async method(name, methodName, ...operands) {
    await this.request(name, method(`${methodName}`, await this.values(operands)));
  },

  batch(name) {
    this.batches.set(`${name}`, []);
  },

  transaction(name) {
    this.batches.set(`${name}`, []);
  },

  async 'batch-end'(name) {
    await this.execute(name, (client) => client.pipeline());
  },

  async 'transaction-end'(name) {
    await this.execute(name, (client) => client.multi());
    await this.endWatch(name);
  },

  /* All commands of a client share its connection: who watches needs a client of its own. */
  async watch(name, ...operands) {
    const keys = await this.values(operands);
    await this.pushFailure(async () => {
      const client = this.program.opened(another(this.clientOf(name)));
      this.watching.set(`${name}`, client);
      await client.watch(...keys);
    });
  },

  async unwatch(name) {
    if (!this.watching.has(`${name}`)) return;
    await this.pushFailure(() => this.clientOf(name).unwatch());
    await this.endWatch(name);
  },

  /* And so does who wants a connection for itself. */
  async lease(lease, name) {
    await this.pushFailure(() => {
      const client = this.program.opened(another(this.clientOf(name)));
      this.program.clients.set(`${lease}`, client);
    });
  },

  async release(lease) {
    await this.pushFailure(() => disconnect(this.clientOf(lease)));
    this.program.clients.delete(`${lease}`);
  },

  async subscribe(name, clientName, kind, ...operands) {
    const names = await this.values(operands);
    const { subscriptions } = this.program;
    await this.pushFailure(async () => {
      if (!subscriptions.has(`${name}`)) {
        const client = this.clientOf(clientName);
        const own = another(client, client.isCluster ? { shardedSubscribers: true } : {});
        subscriptions.set(`${name}`, new Subscription(this.program.opened(own)));
      }
      const { client } = subscriptions.get(`${name}`);
      await within(client[SUBSCRIBE[kind]](...names), 'subscribe');
    });
  },

  async unsubscribe(name, kind, ...operands) {
    const names = await this.values(operands);
    await this.pushFailure(async () => {
      const { client } = this.program.subscriptionOf(name);
      await within(client[UNSUBSCRIBE[kind]](...names), 'unsubscribe');
    });
  },

  async poll(name, ms) {
    this.push(await outcome(() => this.program.subscriptionOf(name).poll(Number(ms))));
  },

  async 'unsubscribe-all'(name) {
    await this.pushFailure(() => disconnect(this.program.subscriptionOf(name).client));
    this.program.subscriptions.delete(`${name}`);
  },

  async cancel(name, ms, ...operands) {
    const words = await this.values(operands);
    const client = await outcome(() => this.clientOf(name));
    if (client instanceof Missing) return this.push(client);
    if (client.withAbortSignal === undefined) return this.push('unsupported');
    const giving = new AbortController();
    const ended = outcome(() => command(words)(client.withAbortSignal(giving.signal)));
    await sleep(Number(ms));
    giving.abort();
    this.push(await within(ended, 'the end of a command that was given up'));
  },

  async statistics(name) {
    const value = await outcome(() => {
      const client = this.clientOf(name);
      if (client.stats !== undefined) client.stats();
      return 'statistics';
    });
    this.push(value);
  },

  async sleep(ms) {
    await sleep(Number(ms));
  },

  async close(name) {
    await this.pushFailure(() => within(this.clientOf(name).quit(), 'quit'));
  },

  start(number) {
    this.program.start(Number(number));
  },

  async wait(number) {
    await this.program.wait(Number(number));
  },
};

/** What all threads of a program share, and what they report. */
class Program {
  constructor(threads) {
    this.threads = threads; // number -> instructions
    this.running = new Map(); // number -> promise
    this.clients = new Map();
    this.subscriptions = new Map();
    this.everOpened = new Set();
    this.results = [];
  }

  opened(client) {
    if (this.everOpened.has(client)) return client;
    client.on('error', () => {}); // commands tell their own
    this.everOpened.add(client);
    return client;
  }

  clientOf(name) {
    const client = this.clients.get(`${name}`);
    if (client === undefined) throw new Missing(`there is no client ${name}`);
    return client;
  }

  subscriptionOf(name) {
    const subscription = this.subscriptions.get(`${name}`);
    if (subscription === undefined) throw new Missing(`there is no subscription ${name}`);
    return subscription;
  }

  start(number) {
    const thread = new Thread(this, number);
    this.running.set(number, thread.run(this.threads.get(number) ?? []));
  }

  async wait(number) {
    if (!this.running.has(number)) giveUp(`thread ${number} was never started`);
    await within(this.running.get(number), `thread ${number}`);
  }

  async run() {
    await new Thread(this, 0).run(this.threads.get(0) ?? []);
    for (const number of this.running.keys()) await this.wait(number);
    await Promise.all([...this.everOpened].map(disconnect));
  }
}

async function main() {
  process.stdout.write(frame(['hello', NAME]));
  let threads = new Map();
  let current = [];
  for await (const words of frames(process.stdin)) {
    const word = words[0].toString();
    if (word === 'quit') process.exit(0);
    if (word === 'thread') {
      current = [];
      threads.set(Number(words[1]), current);
    } else if (word === 'run') {
      const program = new Program(threads);
      await program.run();
      process.stdout.write(Buffer.concat([...program.results, frame(['done'])]));
      threads = new Map();
    } else {
      current.push(words);
    }
  }
}

main().catch((defect) => giveUp(defect.stack));
