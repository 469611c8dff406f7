'use strict';
/**
 * What the tests share: the servers of TENDON_SERVERS, servers of their own, and waiting for
 * events.
 */

const assert = require('node:assert');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { setTimeout: sleep } = require('node:timers/promises');
const Redis = require('../lib');

if (!process.env.TENDON_SERVERS)
  throw new Error('set TENDON_SERVERS, for example by eval "$(./dev env)"');
const servers = JSON.parse(fs.readFileSync(process.env.TENDON_SERVERS, 'utf8'));

/* No test is late because the machine is busy: whoever waits this long, hangs. */
const PATIENCE_MS = 30000;

/* Ports for servers a test starts itself, where nobody else's are who has servers of their own.
 * Test files run one after the other. */
const OWN_PORT_FIRST = servers.standalone.port + 40;
const OWN_PORT_LAST = OWN_PORT_FIRST + 29;
let nextPort = OWN_PORT_FIRST + (process.pid % (OWN_PORT_LAST - OWN_PORT_FIRST));

function isFree(port) {
  return new Promise((resolve) => {
    const probe = net.createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

async function freePort() {
  for (let i = OWN_PORT_FIRST; i <= OWN_PORT_LAST; i++) {
    nextPort = nextPort >= OWN_PORT_LAST ? OWN_PORT_FIRST : nextPort + 1;
    if (await isFree(nextPort)) return nextPort;
  }
  throw new Error(`no port is free from ${OWN_PORT_FIRST} to ${OWN_PORT_LAST}`);
}

/* A failed test leaves its servers to the end of its file, and keeps nobody waiting for them. */
const children = new Set();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

function answers(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.once('data', () => socket.destroy(resolve(true)));
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}

/** Where servers of the tests' own write what SAVE, BGSAVE and BGREWRITEAOF make. */
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tendon-node-'));
process.once('exit', () => fs.rmSync(folder, { recursive: true, force: true }));

/** A redis-server of the test's own; `port` starts it again where it was. */
async function startRedis(port, ...extra) {
  const chosen = port || (await freePort());
  const args = [
    '--port',
    String(chosen),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--dir',
    folder,
    '--dbfilename',
    `${chosen}.rdb`,
    '--enable-debug-command',
    'yes',
  ];
  const child = spawn('redis-server', [...args, ...extra], { stdio: 'ignore' });
  child.unref();
  children.add(child);
  child.once('exit', () => children.delete(child));
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  await until(async () => {
    if (ended()) throw new Error(`redis-server ended when it was started at port ${chosen}`);
    return answers(chosen);
  }, `redis-server at port ${chosen}`);
  const stop = async () => {
    if (ended()) return;
    child.ref();
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  return { port: chosen, stop, child };
}

/**
 * From now on the server takes what it is sent and answers nothing, for certain; SIGCONT ends that.
 */
async function freeze({ child }) {
  child.kill('SIGSTOP');
  const tasks = `/proc/${child.pid}/task`;
  const state = (task) => fs.readFileSync(`${tasks}/${task}/stat`, 'utf8').split(') ')[1][0];
  await until(() => fs.readdirSync(tasks).every((task) => state(task) === 'T'), 'a frozen server');
}

/** Waits until the server holds `command` of a client whose connections are named `name`. */
async function held(name, command) {
  await using(new Redis(at('standalone')), (redis) =>
    until(async () => {
      const held = (line) => line.includes(` name=${name} `) && line.includes(` cmd=${command} `);
      return (await redis.client('LIST')).split('\n').some(held);
    }, `${command} at the server`),
  );
}

/** A TCP server whose connections are handled by `onSocket`; close() also ends them. */
async function startServer(onSocket) {
  const port = await freePort();
  const sockets = new Set();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    onSocket(socket);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const close = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { port, close };
}

const HANDSHAKE = { HELLO: '*2\r\n$5\r\nproto\r\n:2\r\n', CLIENT: '+OK\r\n' };

/**
 * A server that shakes hands like Redis; each chunk of other commands goes to
 * `onChunk(socket, text, count)`, which answers it or does not.
 */
function startFake(onChunk) {
  return startServer((socket) =>
    socket.on('data', (data) => {
      const text = String(data);
      const names = [...text.matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)].map(([, name]) => name);
      if (Object.hasOwn(HANDSHAKE, names[0]))
        for (const name of names) socket.write(HANDSHAKE[name] || '+OK\r\n');
      else onChunk(socket, text, names.length);
    }),
  );
}

const EVENTS = ['connecting', 'connect', 'ready', 'error', 'close', 'reconnecting', 'end'];

/** Records what a client emits, by name and with arguments. */
function record(client) {
  const events = [];
  for (const name of EVENTS) client.on(name, (argument) => events.push({ name, argument }));
  events.names = () => events.map(({ name }) => name);
  events.of = (name) =>
    events.filter((event) => event.name === name).map(({ argument }) => argument);
  return events;
}

async function until(condition, what = 'condition', timeoutMs = PATIENCE_MS) {
  const end = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`${what} did not come true within ${timeoutMs} ms`);
    await sleep(5);
  }
}

/** The error a promise rejects with; fails when it resolves, or takes longer than `deadlineMs`. */
async function rejection(promise, deadlineMs = PATIENCE_MS) {
  const started = Date.now();
  const outcome = await Promise.race([
    promise.then(
      (value) => ({ value }),
      (error) => ({ error }),
    ),
    sleep(deadlineMs + 1000, { late: true }, { ref: false }),
  ]);
  assert.ok(!outcome.late, `no outcome within ${deadlineMs} ms`);
  assert.ok('error' in outcome, `expected a rejection, got ${JSON.stringify(outcome.value)}`);
  assert.ok(
    Date.now() - started <= deadlineMs,
    `took ${Date.now() - started} ms, more than ${deadlineMs}`,
  );
  return outcome.error;
}

/** Options of one of the servers in TENDON_SERVERS. */
function at(name, more) {
  const { host, port } = servers[name];
  return { host, port, ...more };
}

/** Runs `body` with a client that is disconnected afterwards, whatever happens. */
async function using(client, body) {
  client.on('error', () => {});
  try {
    return await body(client);
  } finally {
    client.disconnect();
    if (client.status !== 'end') await until(() => client.status === 'end', 'end of the client');
  }
}

/** A prefix of this run's own, so that runners can share the servers. */
const prefix = `node:${process.pid}:`;
const key = (name) => prefix + name;

module.exports = {
  Redis,
  servers,
  startRedis,
  startServer,
  startFake,
  freeze,
  held,
  freePort,
  record,
  until,
  rejection,
  at,
  using,
  key,
  sleep,
};
