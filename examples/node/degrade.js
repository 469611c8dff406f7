'use strict';
/**
 * The article's best practice "Handle connection failures gracefully": a cache in front of a slow
 * database. The program starts a server of its own, stops it in the middle and starts it again; the
 * application goes on, slower.
 */

const Redis = require('tendon');
const assert = require('node:assert');
const net = require('node:net');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { setTimeout: sleep } = require('node:timers/promises');

const DATABASE_MS = 30;

function freePort(first = 15440, last = 15469) {
  return new Promise((resolve, reject) => {
    if (first > last) return reject(new Error('no free port'));
    const probe = net.createServer();
    probe.once('error', () => resolve(freePort(first + 1, last)));
    return probe.listen(first, '127.0.0.1', () => probe.close(() => resolve(first)));
  });
}

function startServer(port) {
  return spawn('redis-server', ['--port', port, '--bind', '127.0.0.1', '--save', ''], {
    stdio: 'ignore',
  });
}

async function stopServer(child) {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/** The database the cache stands in front of: always right, always slow. */
async function fetchUser(id) {
  await sleep(DATABASE_MS);
  return { id, name: `user ${id}` };
}

async function main() {
  const port = await freePort();
  let server = startServer(port);
  process.on('exit', () => server.kill('SIGKILL'));
  const redis = new Redis({
    host: '127.0.0.1',
    port,
    retryStrategy: (times) => Math.min(times * 50, 150),
    maxRetriesPerRequest: 1,
    commandTimeout: 2000,
  });
  redis.on('ready', () => console.log('  [event] ready'));
  redis.on('close', () => console.log('  [event] close'));
  let errors = 0;
  redis.on('error', (error) => errors++ || console.log('  [event] error:', error.message));

  const sources = { cache: 0, database: 0 };
  /** The article's get_user: nothing that goes wrong with the cache reaches the caller. */
  async function getUser(id) {
    try {
      const cached = await redis.get(`user:${id}`);
      if (cached) {
        sources.cache++;
        return JSON.parse(cached);
      }
    } catch (error) {
      // The cache is down: fall through to the database.
      console.log(`  cache miss by failure: ${error.name} (executed: ${error.executed})`);
    }
    sources.database++;
    const user = await fetchUser(id);
    try {
      await redis.set(`user:${id}`, JSON.stringify(user), 'EX', 60);
    } catch {
      // Failed to cache - that's okay
    }
    return user;
  }

  async function phase(title) {
    console.log(title);
    sources.cache = sources.database = 0;
    const started = Date.now();
    for (let round = 0; round < 2; round++) {
      for (let id = 1; id <= 5; id++)
        assert.deepStrictEqual(await getUser(id), { id, name: `user ${id}` });
    }
    console.log(
      `  10 users in ${Date.now() - started} ms: ${sources.cache} from the cache, ` +
        `${sources.database} from the database`,
    );
    return { ...sources };
  }

  const connected = async () => {
    for (let i = 0; redis.status !== 'ready'; i++) {
      assert.ok(i < 3000, 'the client did not connect');
      await sleep(20);
    }
  };

  await connected();
  assert.strictEqual((await phase('With the cache:')).cache, 5);
  await stopServer(server);
  assert.strictEqual((await phase('The server is stopped:')).cache, 0);
  server = startServer(port);
  await connected();
  assert.strictEqual((await phase('The server is back:')).cache, 5);

  await redis.quit();
  await stopServer(server);
  console.log('done: every user was answered correctly throughout');
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
