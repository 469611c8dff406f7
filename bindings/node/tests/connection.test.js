'use strict';
/**
 * The life of a connection: statuses and events in the order of ioredis, retryStrategy, closing.
 */

const assert = require('node:assert');
const { describe, it } = require('node:test');
const {
  Redis,
  at,
  freePort,
  freeze,
  key,
  record,
  rejection,
  servers,
  sleep,
  startRedis,
  startServer,
  until,
  using,
} = require('./support');

describe('connecting', () => {
  it('connects at construction, or lazily', async () => {
    await using(new Redis(at('standalone')), async (redis) => {
      const events = record(redis);
      assert.strictEqual(redis.status, 'connecting');
      await until(() => redis.status === 'ready');
      await until(() => events.length === 3);
      assert.deepStrictEqual(events.names(), ['connecting', 'connect', 'ready']);
    });
    const lazy = new Redis(at('standalone', { lazyConnect: true }));
    const events = record(lazy);
    await sleep(30);
    assert.strictEqual(lazy.status, 'wait');
    assert.deepStrictEqual(events.names(), []);
    assert.strictEqual(await lazy.set(key('lazy'), 1), 'OK');
    assert.strictEqual(lazy.status, 'ready');
    assert.strictEqual(await lazy.quit(), 'OK');
    await until(() => events.length === 5);
    assert.deepStrictEqual(events.names(), ['connecting', 'connect', 'ready', 'close', 'end']);
  });

  it('resolves connect() on ready and rejects a second one', async () => {
    await using(new Redis(at('standalone', { lazyConnect: true })), async (redis) => {
      await redis.connect();
      assert.strictEqual(redis.status, 'ready');
      assert.match(
        (await rejection(redis.connect())).message,
        /^Redis is already connecting\/connected$/,
      );
    });
  });

  it('can be connected again after the end', async () => {
    const redis = new Redis(at('standalone', { lazyConnect: true }));
    await redis.connect();
    await redis.quit();
    assert.strictEqual(redis.status, 'end');
    assert.strictEqual((await rejection(redis.get('x'))).message, 'Connection is closed.');
    await redis.connect();
    assert.strictEqual(await redis.ping(), 'PONG');
    redis.disconnect();
    await until(() => redis.status === 'end');
    await redis.connect();
    assert.strictEqual(await redis.ping(), 'PONG');
    await redis.quit();
  });

  it('can be connected again at once after giving up', async () => {
    const port = await freePort();
    const redis = new Redis({ port, retryStrategy: () => null });
    await using(redis, async () => {
      await until(() => redis.status === 'end');
      const server = await startRedis(port);
      const again = redis.connect();
      assert.strictEqual(await redis.ping(), 'PONG');
      await again;
      await server.stop();
    });
  });

  it('duplicates with other options', async () => {
    await using(new Redis(at('standalone')), async (redis) => {
      await using(redis.duplicate({ db: 5 }), async (other) => {
        assert.match(await other.client('INFO'), / db=5 /);
        assert.strictEqual(other.options.port, servers.standalone.port);
      });
    });
  });

  it('refuses commands before ready with enableOfflineQueue: false', async () => {
    await using(new Redis(at('standalone', { enableOfflineQueue: false })), async (redis) => {
      const error = await rejection(redis.get('x'));
      assert.strictEqual(
        error.message,
        "Stream isn't writeable and enableOfflineQueue options is false",
      );
      await until(() => redis.status === 'ready');
      assert.strictEqual(await redis.ping(), 'PONG');
    });
  });
});

describe('an old server', () => {
  it('that does not know HELLO is spoken to by RESP2', async () => {
    const server = await startRedis(
      0,
      '--rename-command',
      'HELLO',
      '""',
      '--requirepass',
      'geheim',
    );
    for (const protocol of [2, 3]) {
      const options = {
        port: server.port,
        protocol,
        password: 'geheim',
        db: 2,
        connectTimeout: 2000,
      };
      await using(new Redis({ ...options, retryStrategy: () => null }), async (redis) => {
        assert.deepStrictEqual(await redis.hgetall('missing'), {});
        assert.match(await redis.client('INFO'), / db=2 .* resp=2/);
      });
    }
    await server.stop();
  });
});

describe('a server that refuses connections', () => {
  it('asks retryStrategy with 1, 2, 3 and ends when it gives no number', async () => {
    const asked = [];
    const retryStrategy = (times) => {
      asked.push(times);
      return times < 3 ? 20 : null;
    };
    const redis = new Redis({ port: await freePort(), retryStrategy });
    const events = record(redis);
    const error = await rejection(redis.get('x'));
    await until(() => events.names().includes('end'));
    assert.deepStrictEqual(asked, [1, 2, 3]);
    assert.deepStrictEqual(events.names(), [
      'connecting',
      'error',
      'close',
      'reconnecting',
      'connecting',
      'error',
      'close',
      'reconnecting',
      'connecting',
      'error',
      'close',
      'end',
    ]);
    assert.deepStrictEqual(events.of('reconnecting'), [20, 20]);
    assert.strictEqual(redis.status, 'end');
    assert.strictEqual(error.message, 'Connection is closed.');
    assert.strictEqual(error.executed, 'no');
    assert.ok(error.cause instanceof Redis.ConnectError);
  });

  it('takes any number of retryStrategy as setTimeout does, at the least 1 ms', async () => {
    for (const answer of [0, -5, 0.4, 1.7, NaN, Infinity, 2 ** 31, 1e12]) {
      const port = await freePort();
      const redis = new Redis({ port, maxRetriesPerRequest: 3, retryStrategy: () => answer });
      await using(redis, async () => {
        const events = record(redis);
        const error = await rejection(redis.get('x'));
        assert.ok(error instanceof Redis.MaxRetriesPerRequestError, `${answer}: ${error}`);
        await until(() => events.of('reconnecting').length >= 4);
        assert.ok(events.of('reconnecting').every((delay) => Object.is(delay, answer)));
        assert.ok(!events.names().includes('end'), String(answer));
      });
    }
  });

  it('connects as soon as the server is there when the first delay is 0', async () => {
    const port = await freePort();
    const retryStrategy = (times) => (times - 1) * 50;
    await using(new Redis({ port, retryStrategy }), async (redis) => {
      const waiting = redis.get(key('missing'));
      await until(() => redis.status === 'reconnecting');
      const server = await startRedis(port);
      assert.strictEqual(await waiting, null);
      await server.stop();
    });
  });

  it('ends when retryStrategy gives a number as text', async () => {
    const redis = new Redis({ port: await freePort(), retryStrategy: () => '5' });
    await using(redis, () => until(() => redis.status === 'end'));
  });

  it('gives up commands after maxRetriesPerRequest and goes on connecting', async () => {
    const port = await freePort();
    const redis = new Redis({ port, maxRetriesPerRequest: 2, retryStrategy: () => 10 });
    await using(redis, async () => {
      const error = await rejection(redis.set('x', 1));
      assert.ok(error instanceof Redis.MaxRetriesPerRequestError);
      assert.strictEqual(
        error.message,
        'Reached the max retries per request limit (which is 2). ' +
          'Refer to "maxRetriesPerRequest" option for details.',
      );
      assert.strictEqual(error.executed, 'no');
      assert.strictEqual(error.cause.code, 'ECONNREFUSED');
      assert.match(error.cause.message, new RegExp(String(port)));
      assert.deepStrictEqual(error.command, { name: 'set', args: ['x', '1'] });
      assert.notStrictEqual(redis.status, 'end');
      const server = await startRedis(port);
      await until(() => redis.status === 'ready');
      assert.strictEqual(await redis.ping(), 'PONG');
      await server.stop();
    });
  });

  it('rejects connect() at the first failure, with its cause', async () => {
    const redis = new Redis({
      port: await freePort(),
      lazyConnect: true,
      retryStrategy: () => null,
    });
    redis.on('error', () => {});
    const error = await rejection(redis.connect());
    assert.strictEqual(error.message, 'Connection is closed.');
    assert.strictEqual(error.cause.code, 'ECONNREFUSED');
  });

  it('waits for ever with maxRetriesPerRequest: null', async () => {
    const port = await freePort();
    const redis = new Redis({ port, maxRetriesPerRequest: null, retryStrategy: () => 10 });
    await using(redis, async () => {
      const pending = redis.set(key('null'), 'late');
      await sleep(300);
      const server = await startRedis(port);
      assert.strictEqual(await pending, 'OK');
      await server.stop();
    });
  });

  it('prints errors nobody listens for, and does not end the process', async () => {
    const printed = [];
    const original = console.error;
    console.error = (...args) => printed.push(args);
    try {
      const redis = new Redis({ port: await freePort(), retryStrategy: () => null });
      await until(() => redis.status === 'end');
      await sleep(10);
    } finally {
      console.error = original;
    }
    assert.strictEqual(printed[0][0], '[tendon] Unhandled error event:');
    assert.ok(printed[0][1] instanceof Redis.ConnectError);
  });
});

describe('a server that refuses the credentials', () => {
  it('is one error event per connection', async () => {
    for (const password of ['wrong', undefined]) {
      const retryStrategy = (times) => (times < 2 ? 5 : null);
      const redis = new Redis(at('acl', { username: undefined, password, retryStrategy }));
      const events = record(redis);
      assert.match((await rejection(redis.get('x'))).message, /^(WRONGPASS|NOAUTH) /);
      await until(() => events.names().includes('end'));
      const failed = ['connecting', 'connect', 'error', 'close'];
      assert.deepStrictEqual(events.names(), [...failed, 'reconnecting', ...failed, 'end']);
    }
  });
});

describe('a server that goes away', () => {
  it('reconnects with the events of ioredis and keeps what waits', async () => {
    const server = await startRedis();
    const asked = [];
    const retryStrategy = (times) => {
      asked.push(times);
      return 30;
    };
    const redis = new Redis({ port: server.port, retryStrategy, maxRetriesPerRequest: null });
    await using(redis, async () => {
      await redis.set(key('gone'), 1);
      const events = record(redis);
      await server.stop();
      await until(() => asked.length >= 3, 'three attempts');
      const waiting = redis.set(key('gone'), 2);
      const back = await startRedis(server.port);
      assert.strictEqual(await waiting, 'OK');
      await until(() => events.names().includes('ready'));
      assert.deepStrictEqual(events.names().slice(0, 6), [
        'close',
        'reconnecting',
        'connecting',
        'error',
        'close',
        'reconnecting',
      ]);
      assert.deepStrictEqual(events.names().slice(-3), ['connecting', 'connect', 'ready']);
      assert.deepStrictEqual(asked.slice(0, 3), [1, 2, 3]);
      const before = asked.length;
      await back.stop();
      await until(() => asked.length > before, 'another attempt');
      assert.strictEqual(asked[before], 1);
    });
  });

  it('says of a write under way that its outcome is unknown, and repeats a read', async () => {
    const server = await startRedis();
    const redis = new Redis({
      port: server.port,
      retryStrategy: () => 20,
      maxRetriesPerRequest: null,
    });
    await using(redis, async () => {
      await redis.set(key('w'), 1);
      await freeze(server);
      const write = rejection(redis.incr(key('w')));
      const read = redis.get(key('other'));
      await sleep(100);
      await server.stop();
      const error = await write;
      assert.ok(error instanceof Redis.DisconnectedError, `${error.name}: ${error.message}`);
      assert.strictEqual(error.executed, 'unknown');
      const back = await startRedis(server.port);
      assert.strictEqual(await read, null);
      await back.stop();
    });
  });

  it('repeats a write too when told so', async () => {
    const server = await startRedis();
    const redis = new Redis({
      port: server.port,
      retryStrategy: () => 20,
      maxRetriesPerRequest: null,
      autoResendUnfulfilledCommands: true,
    });
    await using(redis, async () => {
      await redis.set(key('w'), 1);
      await freeze(server);
      const write = redis.incr(key('w'));
      await sleep(100);
      await server.stop();
      const back = await startRedis(server.port);
      assert.strictEqual(await write, 1);
      await back.stop();
    });
  });

  it('reconnects when told to', async () => {
    await using(new Redis(at('standalone', { retryStrategy: () => 10 })), async (redis) => {
      const first = await redis.client('ID');
      const events = record(redis);
      redis.disconnect(true);
      assert.notStrictEqual(await redis.client('ID'), first);
      await until(() => events.names().includes('ready'));
      assert.deepStrictEqual(events.names(), [
        'close',
        'reconnecting',
        'connecting',
        'connect',
        'ready',
      ]);
    });
  });
});

describe('closing', () => {
  it('answers what is under way before quit() ends', async () => {
    const redis = new Redis(at('standalone'));
    const values = Array.from({ length: 100 }, (_, i) => redis.set(key(`quit${i}`), i, 'EX', 60));
    assert.strictEqual(await redis.quit(), 'OK');
    assert.deepStrictEqual(await Promise.all(values), Array(100).fill('OK'));
    assert.strictEqual((await rejection(redis.get('x'))).message, 'Connection is closed.');
    assert.strictEqual((await rejection(redis.quit())).message, 'Connection is closed.');
  });

  it('quits twice at once, and once after disconnect(), without a rejection', async () => {
    const redis = new Redis(at('standalone'));
    await redis.ping();
    assert.deepStrictEqual(await Promise.all([redis.quit(), redis.quit()]), ['OK', 'OK']);
    const other = new Redis(at('standalone'));
    await other.ping();
    other.disconnect();
    assert.strictEqual(await other.quit(), 'OK');
    await until(() => other.status === 'end');
  });

  it('rejects what is under way when disconnected', async () => {
    const server = await startServer((socket) => socket.on('data', () => {}));
    const redis = new Redis({
      port: server.port,
      disableClientInfo: true,
      retryStrategy: () => null,
    });
    const events = record(redis);
    const pending = redis.get('x');
    await sleep(50);
    redis.disconnect();
    const error = await rejection(pending, 8000);
    assert.strictEqual(error.message, 'Connection is closed.');
    assert.ok(error instanceof Redis.ClosedError);
    await until(() => events.names().includes('end'));
    assert.deepStrictEqual(events.names().slice(-2), ['close', 'end']);
    redis.disconnect();
    server.close();
  });

  it('says of what it did not even send that it was not executed', async () => {
    const closed = new Redis(at('standalone'));
    await closed.quit();
    const error = await rejection(closed.get('x'), 8000);
    assert.strictEqual(error.message, 'Connection is closed.');
    const { executed, status, code, attempts, node } = error;
    assert.deepStrictEqual(
      { executed, status, code, attempts, node },
      { executed: 'no', status: 'CLOSED', code: 'TENDON_CLOSED', attempts: 0, node: '' },
    );
    const early = new Redis({ ...at('standalone'), lazyConnect: true, enableOfflineQueue: false });
    assert.strictEqual((await rejection(early.get('x'), 8000)).executed, 'no');
    early.disconnect();
  });

  it('quits a lazy client that never connected', async () => {
    const redis = new Redis({ port: 1, lazyConnect: true });
    assert.strictEqual(await redis.quit(), 'OK');
    assert.strictEqual(redis.status, 'end');
  });
});
