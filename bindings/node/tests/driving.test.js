'use strict';
/**
 * The JavaScript thread drives the core: batches, threads, a loop that is late, and what happens
 * to commands under way when the server or the client goes.
 */

const assert = require('node:assert');
const path = require('node:path');
const { AsyncLocalStorage } = require('node:async_hooks');
const { describe, it } = require('node:test');
const { once } = require('node:events');
const { execFileSync, spawnSync } = require('node:child_process');
const {
  Redis,
  at,
  freeze,
  rejection,
  servers,
  sleep,
  startFake,
  startRedis,
  startServer,
  until,
  using,
} = require('./support');

const library = path.join(__dirname, '..', 'lib');

/** Runs a program with `Redis` and `options` defined; the object it printed. */
function report(program, timeout = 60000) {
  const prelude = `const Redis = require(${JSON.stringify(library)});
    const options = ${JSON.stringify(at('standalone'))};`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', prelude + program], {
    encoding: 'utf8',
    timeout,
  });
  assert.strictEqual(status, 0, stderr);
  return JSON.parse(stdout);
}

function stopTheLoop(ms) {
  const end = Date.now() + ms;
  while (Date.now() < end);
}

/** What a program of its own hears from the server, while this one stands still. */
function askByAnother(port, ...command) {
  return execFileSync('redis-cli', ['-p', String(port), ...command], { encoding: 'utf8' });
}

describe('commands', () => {
  it('of one tick travel together, those of its continuations included', async () => {
    const chunks = [];
    const server = await startFake((socket, text, count) => {
      chunks.push(text);
      socket.write('+OK\r\n'.repeat(count));
    });
    await using(new Redis({ port: server.port }), async (redis) => {
      await once(redis, 'ready');
      const all = Array.from({ length: 100 }, async (_, i) => {
        if (i % 2) await undefined;
        return redis.get(`key${i}`);
      });
      await Promise.all(all);
      assert.ok(chunks.length <= 2, `${chunks.length} writes for one tick`);
      assert.strictEqual(chunks.join('').split('*').length - 1, 100);
    });
    server.close();
  });

  it('leave with their tick, not with the next turn of the loop', async () => {
    const server = await startRedis();
    await using(new Redis({ port: server.port }), async (redis) => {
      await redis.ping();
      const found = await new Promise((resolve) => {
        setImmediate(() => {
          redis.set('x', 'sent').catch(() => {});
          process.nextTick(() => resolve(askByAnother(server.port, 'get', 'x')));
        });
      });
      assert.strictEqual(found, 'sent\n');
    });
    await server.stop();
  });

  it('ten thousand at once need no thread', () => {
    const { before, during, right } = report(`
      const fs = require('node:fs');
      const threads = () => fs.readdirSync('/proc/self/task').length;
      (async () => {
        const before = threads();
        const clients = Array.from({ length: 4 }, () => new Redis(options));
        let during = 0;
        const watch = setInterval(() => { during = Math.max(during, threads()); }, 1);
        const echo = (_, i) => clients[i % 4].echo('value ' + i);
        const values = await Promise.all(Array.from({ length: 10000 }, echo));
        during = Math.max(during, threads());
        clearInterval(watch);
        for (const redis of clients) redis.disconnect();
        const right = values.filter((value, i) => value === 'value ' + i).length;
        console.log(JSON.stringify({ before, during, right }));
      })();`);
    assert.strictEqual(right, 10000);
    /* One per client may be looking up the host name. */
    assert.ok(during <= before + 4, `${before} threads before, ${during} during`);
  });

  it('of a hundred megabytes come back as they went', async () => {
    const server = await startRedis(undefined, '--proto-max-bulk-len', '512mb');
    await using(new Redis({ port: server.port }), async (redis) => {
      const value = Buffer.alloc(100 * 1024 * 1024);
      for (let i = 0; i < value.length; i += 4096) value.writeUInt32LE(i, i);
      const [set, ping] = await Promise.all([redis.set('big', value), redis.ping()]);
      assert.deepStrictEqual([set, ping], ['OK', 'PONG']);
      const [back, echo] = await Promise.all([redis.getBuffer('big'), redis.echo('small')]);
      assert.ok(value.equals(back), 'the value differs');
      assert.strictEqual(echo, 'small');
    });
    await server.stop();
  });
});

describe('a loop that is late', () => {
  it('gives each command one outcome, and its answer where there is one', async () => {
    await using(new Redis(at('standalone', { commandTimeout: 200 })), async (redis) => {
      await until(() => redis.status === 'ready');
      const outcomes = [];
      const all = Array.from({ length: 100 }, (_, i) =>
        redis.echo(String(i)).then(
          (value) => outcomes.push(value),
          (error) => outcomes.push(error),
        ),
      );
      await undefined;
      process.nextTick(() => {
        /* Who is answered after them knows that they were, however busy the machine is. */
        askByAnother(servers.standalone.port, 'ping');
        stopTheLoop(600);
      });
      await Promise.all(all);
      assert.deepStrictEqual(
        outcomes,
        Array.from({ length: 100 }, (_, i) => String(i)),
      );
    });
  });

  it('notices deadlines of a silent server when it returns', async () => {
    const server = await startServer(() => {});
    const options = { port: server.port, disableClientInfo: true, commandTimeout: 200 };
    await using(new Redis(options), async (redis) => {
      const all = Array.from({ length: 100 }, () => rejection(redis.get('x')));
      setImmediate(() => stopTheLoop(600));
      for (const error of await Promise.all(all)) {
        assert.ok(error instanceof Redis.TimeoutError, `${error.name}: ${error.message}`);
        assert.ok(['no', 'unknown'].includes(error.executed));
      }
    });
    server.close();
  });
});

describe('the loop', () => {
  it('goes on while refused commands are asked for again and again', async () => {
    const silent = await startServer(() => {});
    await using(new Redis({ port: silent.port, maxPending: 10 }), async (redis) => {
      let stopped = false;
      let refused = 0;
      const nag = async () => {
        while (!stopped) {
          try {
            await redis.get('x');
          } catch (error) {
            if (error.status === 'QUEUE_FULL') refused++;
          }
        }
      };
      const all = Array.from({ length: 20 }, nag);
      for (let i = 0; i < 20; i++) await sleep(1);
      stopped = true;
      redis.disconnect();
      await Promise.all(all);
      assert.ok(refused > 20, `${refused} refused`);
    });
    silent.close();
  });

  it('keeps the async context of callers, with promises and with callbacks', async () => {
    const context = new AsyncLocalStorage();
    await using(new Redis(at('standalone')), async (redis) => {
      const seen = await context.run('mine', async () => {
        const places = [];
        const note = () => places.push(context.getStore());
        await redis.ping();
        note();
        await new Promise((resolve) => redis.ping(() => resolve(note())));
        await redis
          .pipeline()
          .ping(() => note())
          .exec();
        note();
        return places;
      });
      assert.deepStrictEqual(seen, Array(4).fill('mine'));
    });
  });
});

describe('commands under way', () => {
  it('reject each when the client disconnects', async () => {
    const server = await startRedis();
    await using(new Redis({ port: server.port }), async (redis) => {
      await redis.ping();
      const all = Array.from({ length: 1000 }, () => rejection(redis.blpop('none', 0)));
      await sleep(20);
      redis.disconnect();
      for (const error of await Promise.all(all)) {
        assert.strictEqual(error.message, 'Connection is closed.');
        assert.ok(['no', 'unknown'].includes(error.executed), error.executed);
      }
    });
    await server.stop();
  });

  it('of a client that is closed and opened again do not meet those after it', async () => {
    await using(new Redis(at('standalone')), async (redis) => {
      for (let round = 0; round < 20; round++) {
        const before = Array.from({ length: 50 }, (_, i) =>
          redis.echo(`${round} before ${i}`).catch((error) => error.message),
        );
        if (round % 2) await redis.ping();
        redis.disconnect();
        for (const [i, outcome] of (await Promise.all(before)).entries())
          assert.ok(['Connection is closed.', `${round} before ${i}`].includes(outcome), outcome);
        if (redis.status !== 'end') await once(redis, 'end');
        const opened = redis.connect();
        const after = Array.from({ length: 50 }, (_, i) => redis.echo(`${round} after ${i}`));
        assert.deepStrictEqual(
          await Promise.all(after),
          after.map((_, i) => `${round} after ${i}`),
        );
        await opened;
      }
    });
  });

  it('have one outcome each while the server is killed and comes back', async () => {
    let server = await startRedis();
    const { port } = server;
    const options = { port, maxRetriesPerRequest: null, retryStrategy: () => 20 };
    const CALLERS = 100;
    await using(new Redis(options), async (redis) => {
      const count = { right: 0, failed: 0, since: 0 };
      let stopped = false;
      const caller = async (number) => {
        for (let i = number; !stopped; i++) {
          const text = `${number} ${i}`;
          try {
            if (i % 2) await redis.incr('counter');
            else assert.strictEqual(await redis.echo(text), text);
            count.right++;
            count.since++;
          } catch (error) {
            if (!(error instanceof Redis.TendonError)) throw error;
            assert.ok(['no', 'unknown'].includes(error.executed), error.message);
            count.failed++;
          }
        }
      };
      const callers = Promise.all(Array.from({ length: CALLERS }, (_, i) => caller(i)));
      for (let round = 0; round < 3; round++) {
        await sleep(100);
        /* Half of the callers wait for the answer to a write by now. */
        await freeze(server);
        await until(() => redis.stats().pending === CALLERS, 'all waiting for answers');
        await sleep(50);
        await server.stop();
        server = await startRedis(port);
        count.since = 0;
        await until(() => count.since >= 1000, 'answers since the server is back');
      }
      stopped = true;
      await callers;
      assert.ok(count.failed > 0);
    });
    await server.stop();
  });
});

describe('an exception out of a retryStrategy', () => {
  it('reaches the program, and costs no command its outcome', () => {
    const { thrown, outcomes } = report(`
      const thrown = [];
      process.on('uncaughtException', (error) => thrown.push(error.message));
      const redis = new Redis({ port: 1, retryStrategy() { throw new Error('mine'); } });
      redis.on('error', () => {});
      const outcomes = [];
      const all = [1, 2, 3].map(() => redis.get('x').then(
        () => outcomes.push('value'), (error) => outcomes.push(error.message)));
      const watch = setInterval(() => {
        if (thrown.length === 0) return;
        clearInterval(watch);
        setTimeout(() => redis.disconnect(), 200);
      }, 5);
      Promise.all(all).then(() => console.log(JSON.stringify({ thrown, outcomes })));`);
    assert.deepStrictEqual(thrown, ['mine']);
    assert.deepStrictEqual(outcomes, Array(3).fill('Connection is closed.'));
  });
});

describe('several copies of the library', () => {
  it('work side by side in one thread', () => {
    const { names, different } = report(`
      const vm = require('node:vm');
      const place = ${JSON.stringify(library)};
      const fresh = () => {
        for (const name of Object.keys(require.cache)) delete require.cache[name];
        return require(place);
      };
      const context = vm.createContext({ require });
      const copies = [Redis, fresh(), fresh()];
      const inContext = vm.runInContext(
        '(options, Redis) => { const r = new Redis(options); return [r, () => r.echo("vm")]; }',
        context,
      );
      (async () => {
        const clients = copies.map((Copy) => new Copy(options));
        const [guest, echo] = inContext(options, copies[2]);
        const names = await Promise.all(clients.map((redis, i) => redis.echo(String(i))));
        names.push(await echo());
        for (const redis of [...clients, guest]) await redis.quit();
        const different = copies[0] !== copies[1] && copies[1] !== copies[2];
        console.log(JSON.stringify({ names, different }));
      })();`);
    assert.deepStrictEqual(names, ['0', '1', '2', 'vm']);
    assert.ok(different);
  });
});

describe('the module cluster of Node', () => {
  it('has clients in the primary and in each worker', () => {
    const forked = path.join(__dirname, 'programs', 'forked.js');
    const { primary, codes } = report(`
      const cluster = require('node:cluster');
      const { once } = require('node:events');
      (async () => {
        const redis = new Redis(options);
        const primary = await redis.echo('primary');
        cluster.setupPrimary({ exec: ${JSON.stringify(forked)}, execArgv: [] });
        const workers = [1, 2, 3].map(() => cluster.fork({ OPTIONS: JSON.stringify(options) }));
        const exits = await Promise.all(workers.map((worker) => once(worker, 'exit')));
        const codes = exits.map(([code]) => code);
        await redis.quit();
        console.log(JSON.stringify({ primary, codes }));
      })();`);
    assert.strictEqual(primary, 'primary');
    assert.deepStrictEqual(codes, [0, 0, 0]);
  });
});

describe('a connection that is reset', () => {
  it('leaves no descriptor behind, though its last words were not read yet', () => {
    const program = path.join(__dirname, 'programs', 'resetting.js');
    const { texts, left } = report(`
      const fs = require('node:fs');
      const { once } = require('node:events');
      const { fork } = require('node:child_process');
      const count = () => fs.readdirSync('/proc/self/fd').length;
      (async () => {
        const between = fork(${JSON.stringify(program)}, [String(options.port)]);
        const [port] = await once(between, 'message');
        const redis = new Redis({ host: '127.0.0.1', port, retryStrategy: () => 1 });
        redis.on('error', () => {});
        const texts = new Set();
        let before = 0;
        for (let round = 0; round < 6; round++) {
          for (let i = 0; i < 20; i++) await redis.echo('busy');
          before = before || count();
          const last = redis.set('key', 'reset me');
          await new Promise((resolve) => setImmediate(resolve));
          const end = Date.now() + 200;
          while (Date.now() < end);
          texts.add(await last);
        }
        for (let i = 0; i < 20; i++) await redis.echo('busy');
        const limit = Date.now() + 10000;
        while (count() > before && Date.now() < limit)
          await new Promise((resolve) => setTimeout(resolve, 10));
        console.log(JSON.stringify({ texts: [...texts], left: Math.max(0, count() - before) }));
        between.kill();
        redis.disconnect();
      })();`);
    assert.deepStrictEqual(texts, ['OK']);
    assert.strictEqual(left, 0);
  });
});
