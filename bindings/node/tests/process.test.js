'use strict';
/**
 * The addon as a guest of the process: exit, worker threads, the event loop, listeners that throw,
 * types.
 */

const assert = require('node:assert');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describe, it } = require('node:test');
const { once } = require('node:events');
const { spawn, spawnSync } = require('node:child_process');
const { Worker } = require('node:worker_threads');
const { monitorEventLoopDelay } = require('node:perf_hooks');
const {
  Redis,
  at,
  freePort,
  key,
  rejection,
  servers,
  sleep,
  startRedis,
  startServer,
  until,
  using,
} = require('./support');

const library = path.join(__dirname, '..', 'lib');

/** Runs a program with `Redis` and `options` defined; what it printed and how it ended. */
function run(program, options = at('standalone'), timeout = 60000) {
  const prelude = `const Redis = require(${JSON.stringify(library)});
    const options = ${JSON.stringify(options)};`;
  const started = Date.now();
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    ['-e', prelude + program],
    {
      encoding: 'utf8',
      timeout,
    },
  );
  return { status, signal, stdout, stderr, elapsedMs: Date.now() - started };
}

/**
 * Ended as a program does that has nothing left to wait for, by the measure of one that never had:
 * Node itself takes long to start on a busy machine.
 */
function assertPrompt(result) {
  const bare = run("console.log('bare')");
  const limitMs = 3000 + 10 * bare.elapsedMs;
  assert.ok(result.elapsedMs < limitMs, `${result.elapsedMs} ms, more than ${limitMs}`);
}

function assertEnded(result, stdout) {
  assert.deepStrictEqual(
    [result.status, result.signal, result.stdout],
    [0, null, stdout],
    result.stderr,
  );
}

describe('the process', () => {
  it('ends by itself after quit() and after disconnect()', () => {
    for (const end of ['await redis.quit()', 'redis.disconnect()']) {
      const result = run(
        `(async () => {
          const redis = new Redis(options);
          await redis.ping();
          ${end};
          console.log('done');
        })()`,
      );
      assertEnded(result, 'done\n');
      assertPrompt(result);
    }
  });

  it('ends by itself with a client that never connected, or gave up', async () => {
    assertEnded(run('new Redis({ ...options, lazyConnect: true }); console.log("done")'), 'done\n');
    const dead = { port: await freePort() };
    assertEnded(
      run(
        `const redis = new Redis({ ...options, retryStrategy: () => null });
        redis.on('end', () => console.log('end')).on('error', () => {});`,
        dead,
      ),
      'end\n',
    );
  });

  it('stays alive while connected, also between commands', async () => {
    const child = spawn(process.execPath, [
      '-e',
      `const Redis = require(${JSON.stringify(library)});
      new Redis(${servers.standalone.port}).on('ready', () => console.log('ready'));`,
    ]);
    await once(child.stdout, 'data');
    await sleep(300);
    assert.strictEqual(child.exitCode, null);
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    assert.deepStrictEqual(await ended, [null, 'SIGTERM']);
  });

  it('ends at once by process.exit with commands under way and many clients', () => {
    const result = run(`
      const clients = Array.from({ length: 10 }, () => new Redis(options));
      for (const redis of clients) {
        redis.on('error', () => {});
        for (let i = 0; i < 100; i++) redis.ping().catch(() => {});
      }
      clients[0].ping().then(() => { console.log('exit'); process.exit(0); });`);
    assertEnded(result, 'exit\n');
    assertPrompt(result);
  });

  it('ends by an exception in a listener, as with any emitter', () => {
    const result = run("new Redis(options).on('ready', () => { throw new Error('mine'); })");
    assert.strictEqual(result.status, 1);
    assert.match(result.stderr, /Error: mine/);
  });

  it('survives errors nobody handles, on a server that is down', async () => {
    const result = run(
      `const redis = new Redis({ ...options, retryStrategy: () => null });
      redis.get('x').catch(() => {});`,
      { port: await freePort() },
    );
    assert.strictEqual(result.status, 0);
    assert.match(result.stderr, /\[tendon\] Unhandled error event:/);
  });
});

describe('worker threads', () => {
  const start = (name, more) =>
    new Worker(path.join(__dirname, 'programs', 'worker.js'), {
      workerData: { options: at('standalone'), name: key(name), count: 500, ...more },
    });

  it('each have clients of their own', async () => {
    const workers = Array.from({ length: 4 }, (_, i) => start(`worker${i}`));
    const results = await Promise.all(
      workers.map(async (worker) => {
        const exited = once(worker, 'exit');
        const [{ wrong }] = await once(worker, 'message');
        const [code] = await exited;
        return { wrong, code };
      }),
    );
    assert.deepStrictEqual(results, Array(4).fill({ wrong: 0, code: 0 }));
  });

  it('can be terminated in the middle, while the main thread goes on', async () => {
    await using(new Redis(at('standalone')), async (redis) => {
      for (let round = 0; round < 5; round++) {
        const worker = start(`terminated${round}`, { leaveOpen: true });
        const [{ wrong }] = await once(worker, 'message');
        assert.strictEqual(wrong, 0);
        await worker.terminate();
        assert.strictEqual(await redis.ping(), 'PONG');
      }
    });
  });

  it('leave nothing behind, however they end, with commands under way', async () => {
    const server = await startRedis();
    const program = path.join(__dirname, 'programs', 'busy_worker.js');
    const figures = () => ({
      threads: fs.readdirSync('/proc/self/task').length,
      descriptors: fs.readdirSync('/proc/self/fd').length,
    });
    await using(new Redis({ port: server.port }), async (redis) => {
      const connections = async () =>
        (await redis.client('LIST')).split('\n').filter((line) => line.includes('cmd=')).length;
      let before;
      for (let round = 0; round < 50; round++) {
        const end = ['terminate', 'terminate', 'exit', 'throw'][round % 4];
        const worker = new Worker(program, { workerData: { port: server.port, end } });
        worker.on('error', () => {}); // which once() of node:events would reject with
        const next = (event) => new Promise((resolve) => worker.once(event, resolve));
        const exited = next('exit');
        assert.strictEqual((await next('message')).wrong, 0);
        if (end === 'terminate') await worker.terminate();
        await exited;
        if (round === 1) before = figures();
      }
      await until(async () => (await connections()) === 1, 'the end of all connections');
      const asBefore = () => {
        const { threads, descriptors } = figures();
        return threads <= before.threads + 1 && descriptors <= before.descriptors + 4;
      };
      await until(asBefore, 'the end of what workers left').catch((error) => {
        error.message += `: ${JSON.stringify({ before, after: figures() })}`;
        throw error;
      });
    });
    await server.stop();
  });

  it('with TLS, too', async () => {
    const worker = start('tls', { options: at('tls', { tls: { caFile: servers.ca_file } }) });
    const exited = once(worker, 'exit');
    const [{ wrong }] = await once(worker, 'message');
    assert.strictEqual(wrong, 0);
    assert.deepStrictEqual(await exited, [0]);
  });
});

describe('the event loop', () => {
  it('is not blocked while the server sleeps', async () => {
    const server = await startRedis();
    await using(new Redis({ port: server.port }), async (redis) => {
      await redis.ping();
      const delay = monitorEventLoopDelay({ resolution: 5 });
      delay.enable();
      let ticks = 0;
      const timer = setInterval(() => ticks++, 5);
      await Promise.all([redis.call('DEBUG', 'SLEEP', 2), redis.get('x'), redis.set('y', 1)]);
      clearInterval(timer);
      delay.disable();
      /* A machine that is busy with others holds the loop up as well, but not for so long. */
      assert.ok(ticks > 40, `${ticks} ticks of 5 ms in two seconds`);
      assert.ok(delay.max / 1e6 < 1000, `the loop stood still for ${delay.max / 1e6} ms`);
    });
    await server.stop();
  });

  it('is not blocked by a server that cannot be reached, or by closing', async () => {
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const silent = await startServer(() => {});
    const settings = { retryStrategy: () => 5, connectTimeout: 1500 };
    for (const place of [{ host: 'no..such.invalid' }, { port: silent.port }]) {
      const redis = new Redis({ ...place, ...settings, maxRetriesPerRequest: 1 });
      redis.on('error', () => {});
      await rejection(redis.get('x'));
      redis.disconnect();
      await once(redis, 'end');
    }
    silent.close();
    delay.disable();
    assert.ok(delay.max / 1e6 < 1000, `the loop stood still for ${delay.max / 1e6} ms`);
  });

  it('serves timers while thousands of replies arrive', async () => {
    await using(new Redis(at('standalone')), async (redis) => {
      await redis.ping();
      let ticks = 0;
      const timer = setInterval(() => ticks++, 1);
      for (let round = 0; round < 10; round++)
        await Promise.all(Array.from({ length: 10000 }, () => redis.ping()));
      clearInterval(timer);
      assert.ok(ticks > 10, `${ticks} ticks`);
    });
  });

  /* There the loop looks for more before it sleeps, which must come to an end. */
  it('serves timers while each of some promises is followed by the next', async () => {
    await using(new Redis(at('standalone')), async (redis) => {
      await redis.ping();
      for (const concurrency of [2, 10, 100, 1000]) {
        let running = true;
        let replies = 0;
        let ticks = 0;
        const timer = setInterval(() => {
          ticks++;
          running = ticks < 20 || replies < 1000;
        }, 1);
        const work = async () => {
          while (running) {
            assert.strictEqual(await redis.ping(), 'PONG');
            replies++;
          }
        };
        await Promise.all(Array.from({ length: concurrency }, work));
        clearInterval(timer);
      }
    });
  });
});

describe('the package', () => {
  it('exports the class under every name ioredis does', () => {
    assert.strictEqual(Redis.default, Redis);
    assert.strictEqual(Redis.Redis, Redis);
    assert.strictEqual(typeof Redis.Cluster, 'function');
    assert.ok(Redis.createClient(at('standalone', { lazyConnect: true })) instanceof Redis);
  });

  it('can be imported as a module', () => {
    const place = JSON.stringify(path.join(library, 'index.js'));
    const program = `import Redis, { Cluster, Redis as Named, ReplyError } from ${place};
      console.log(typeof Redis, Named === Redis, Redis.Cluster === Cluster, typeof ReplyError);`;
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '-e', program],
      {
        encoding: 'utf8',
      },
    );
    assert.strictEqual(status, 0, stderr);
    assert.strictEqual(stdout, 'function true true function\n');
  });

  it('has types that accept the article and refuse mistakes, strictly', () => {
    const compiler = path.join(__dirname, '..', 'node_modules', 'typescript', 'bin', 'tsc');
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [compiler, '-p', path.join(__dirname, 'types')],
      {
        encoding: 'utf8',
      },
    );
    assert.strictEqual(status, 0, stdout + stderr);
  });

  it('has a method for every command of the server', async () => {
    await using(new Redis(at('standalone')), async (redis) => {
      const commands = await redis.call('COMMAND', 'LIST');
      const missing = commands
        .map((name) => name.toLowerCase())
        .filter((name) => !name.includes('|') && typeof redis[name] !== 'function');
      assert.deepStrictEqual(missing, []);
    });
  });
});

describe('npm pack', () => {
  it('holds all that building and loading it elsewhere needs', () => {
    const place = fs.mkdtempSync(path.join(os.tmpdir(), 'tendon-pack-'));
    const { TENDON_OUT, TENDON_NODE_ADDON, ...env } = process.env;
    const inside = (cwd, command, ...args) => {
      const ended = spawnSync(command, args, { cwd, env, encoding: 'utf8', timeout: 120000 });
      assert.strictEqual(ended.status, 0, `${command}: ${ended.error} ${ended.stderr}`);
      return ended.stdout;
    };
    try {
      inside(path.dirname(library), 'npm', 'pack', '--silent', '--pack-destination', place);
      const [tarball] = fs.readdirSync(place);
      inside(place, 'tar', 'xzf', tarball);
      const unpacked = path.join(place, 'package');
      inside(unpacked, 'npm', 'run', '--silent', 'install');
      assert.match(inside(unpacked, 'node', '-p', 'require(".").version'), /\d/);
    } finally {
      fs.rmSync(place, { recursive: true });
    }
  });
});
