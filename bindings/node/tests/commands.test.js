'use strict';
/** Commands, their arguments and the shapes of their replies, by RESP2 and by RESP3. */

const assert = require('node:assert');
const { describe, it, before, after } = require('node:test');
const { Redis, servers, at, key, rejection, using } = require('./support');

for (const protocol of [2, 3]) {
  describe(`commands by RESP${protocol}`, () => {
    let redis;
    const k = (name) => key(`${protocol}:${name}`);
    before(() => {
      redis = new Redis(at('standalone', { protocol }));
    });
    after(() => redis.quit());

    it('sets and gets text', async () => {
      assert.strictEqual(await redis.set(k('text'), 'wert äöü €', 'EX', 100), 'OK');
      assert.strictEqual(await redis.get(k('text')), 'wert äöü €');
      assert.strictEqual(await redis.get(k('missing')), null);
      assert.ok((await redis.ttl(k('text'))) > 90);
    });

    it('keeps bytes', async () => {
      const bytes = Buffer.from([0, 255, 13, 10, 128, 0]);
      await redis.set(Buffer.from(k('bytes\0key')), bytes);
      assert.deepStrictEqual(await redis.getBuffer(k('bytes\0key')), bytes);
      assert.deepStrictEqual(await redis.callBuffer('GET', k('bytes\0key')), bytes);
      for (const size of [0, 1, 256, 2048, 2049, 100000]) {
        const every = Buffer.from(Array.from({ length: size }, (_, i) => i % 256));
        await redis.set(k('every'), every, 'EX', 60);
        const back = await redis.getBuffer(k('every'));
        assert.ok(Buffer.isBuffer(back) && back.equals(every), `${size} bytes`);
        assert.deepStrictEqual(await redis.mgetBuffer(k('every')), [every]);
      }
      assert.strictEqual(await redis.strlen(k('bytes\0key')), 6);
      assert.deepStrictEqual(
        (await redis.set(k('u8'), new Uint8Array([1, 2]))) && (await redis.getBuffer(k('u8'))),
        Buffer.from([1, 2]),
      );
    });

    it('writes numbers, null and booleans as ioredis does', async () => {
      await redis.set(k('n'), 12345678901234567000000);
      assert.strictEqual(await redis.get(k('n')), '12345678901234567741440');
      await redis.set(k('n'), null);
      assert.strictEqual(await redis.get(k('n')), '');
      await redis.set(k('n'), true);
      assert.strictEqual(await redis.get(k('n')), 'true');
      await redis.set(k('n'), 1.5);
      assert.strictEqual(await redis.get(k('n')), '1.5');
    });

    it('gives integers as numbers, and as text beyond 2^53', async () => {
      await redis.set(k('int'), '41');
      assert.strictEqual(await redis.incr(k('int')), 42);
      await redis.set(k('int'), '9007199254740991');
      assert.strictEqual(await redis.decrby(k('int'), 0), 9007199254740991);
      assert.strictEqual(await redis.incr(k('int')), '9007199254740992');
      await using(new Redis(at('standalone', { protocol, stringNumbers: true })), async (other) => {
        await other.set(k('int'), 1);
        assert.strictEqual(await other.incr(k('int')), '2');
      });
    });

    it('takes objects and maps, gives hashes as objects', async () => {
      await redis.del(k('h'), k('m1'), k('m2'));
      assert.strictEqual(await redis.hset(k('h'), { a: 1, b: 'two' }), 2);
      await redis.hset(k('h'), new Map([['c', 3]]));
      await redis.hset(k('h'), '__proto__', 'safe');
      const hash = await redis.hgetall(k('h'));
      assert.deepStrictEqual(Object.entries(hash), [
        ['a', '1'],
        ['b', 'two'],
        ['c', '3'],
        ['__proto__', 'safe'],
      ]);
      assert.strictEqual(Object.getPrototypeOf(hash), Object.prototype);
      assert.deepStrictEqual(await redis.hgetall(k('missing')), {});
      assert.deepStrictEqual((await redis.hgetallBuffer(k('h'))).b, Buffer.from('two'));
      assert.strictEqual(await redis.mset({ [k('m1')]: 1, [k('m2')]: 2 }), 'OK');
      assert.deepStrictEqual(await redis.mget([k('m1'), k('m2')], k('missing')), ['1', '2', null]);
      assert.deepStrictEqual(await redis.call('HMGET', k('h'), 'a'), ['1']);
      assert.ok(Array.isArray(await redis.call('HGETALL', k('h'))));
      assert.deepStrictEqual(await redis.call('hgetall', k('h')), hash);
      const now = new Date(0);
      assert.strictEqual(await redis.hset(k('h'), 'date', now), 1);
      assert.strictEqual(await redis.hget(k('h'), 'date'), String(now));
      assert.strictEqual(await redis.mset(k('m1'), 1, k('m2'), now), 'OK');
      assert.strictEqual(await redis.get(k('m2')), String(now));
    });

    it('gives scores and streams in the shape of RESP2', async () => {
      await redis.del(k('z'), k('s'));
      await redis.zadd(k('z'), 1, 'one', 2.5, 'two');
      assert.deepStrictEqual(await redis.zrange(k('z'), 0, -1, 'WITHSCORES'), [
        'one',
        '1',
        'two',
        '2.5',
      ]);
      assert.strictEqual(await redis.zscore(k('z'), 'two'), '2.5');
      assert.deepStrictEqual(await redis.zpopmin(k('z')), ['one', '1']);
      assert.deepStrictEqual(await redis.zrange(k('z'), 0, -1), ['two']);
      const id = await redis.xadd(k('s'), '*', 'f', 'v');
      assert.deepStrictEqual(await redis.xread('STREAMS', k('s'), 0), [
        [k('s'), [[id, ['f', 'v']]]],
      ]);
      assert.deepStrictEqual(await redis.config('GET', 'maxmemory'), ['maxmemory', '0']);
    });

    it('nests replies', async () => {
      const nested = await redis.eval('return {1, {2, {"three", false}}, "x"}', 0);
      assert.deepStrictEqual(nested, [1, [2, ['three', null]], 'x']);
      const [first, error] = await redis.eval('return {1, redis.error_reply("ERR inner")}', 0);
      assert.strictEqual(first, 1);
      assert.ok(error instanceof Redis.ReplyError && error.message === 'ERR inner');
    });

    it('reaches every command by call', async () => {
      assert.strictEqual(await redis.call('SET', k('c'), 'v'), 'OK');
      assert.strictEqual(await redis.call('object', 'encoding', k('c')), 'embstr');
      assert.strictEqual(await redis.send_command('get', k('c')), 'v');
      const error = await rejection(redis.call('NOSUCH', 'x'));
      assert.ok(error instanceof Redis.ReplyError);
      assert.match(error.message, /^ERR unknown command/);
    });

    it("rejects with the server's error and the command", async () => {
      await redis.set(k('wrong'), 'text');
      const error = await rejection(redis.lpush(k('wrong'), 'x', 1));
      assert.ok(
        error instanceof Redis.ReplyError &&
          error instanceof Redis.RedisError &&
          error instanceof Error,
      );
      assert.strictEqual(error.name, 'ReplyError');
      assert.match(error.message, /^WRONGTYPE /);
      assert.deepStrictEqual(error.command, { name: 'lpush', args: [k('wrong'), 'x', '1'] });
    });

    it('runs a blocking command without holding up the others', async () => {
      await redis.del(k('list'));
      const popped = redis.blpop(k('list'), 5);
      assert.strictEqual(await redis.ping(), 'PONG');
      await redis.rpush(k('list'), 'value');
      assert.deepStrictEqual(await popped, [k('list'), 'value']);
      assert.strictEqual(await redis.blpop(k('list'), 0.1), null);
      assert.strictEqual(redis.status, 'ready');
    });
  });
}

describe('integers above 2^53', () => {
  it('keep their digits, as text', async () => {
    await using(new Redis(at('standalone')), async (redis) => {
      await redis.set(key('big'), '9007199254740990', 'EX', 60);
      assert.strictEqual(await redis.incr(key('big')), 9007199254740991);
      assert.strictEqual(await redis.incrby(key('big'), 2), '9007199254740993');
    });
  });
});

describe('callbacks and order', () => {
  it('calls the callback before the promise goes on, as in ioredis', async () => {
    await using(new Redis(at('standalone')), async (redis) => {
      const order = [];
      await redis.ping(() => order.push('callback')).then(() => order.push('then'));
      await redis
        .pipeline()
        .ping()
        .exec(() => order.push('exec'))
        .then(() => order.push('then'));
      await redis.call('NOSUCH', () => order.push('error')).catch(() => order.push('catch'));
      assert.deepStrictEqual(order, ['callback', 'then', 'exec', 'then', 'error', 'catch']);
    });
  });

  it('calls node-style callbacks', async () => {
    await using(new Redis(at('standalone')), async (redis) => {
      const value = await new Promise((resolve, reject) => {
        redis.set(key('cb'), 'v', (error, reply) => (error ? reject(error) : resolve(reply)));
      });
      assert.strictEqual(value, 'OK');
      const error = await new Promise((resolve) =>
        redis.call('NOSUCH', (failure) => resolve(failure)),
      );
      assert.ok(error instanceof Redis.ReplyError);
    });
  });

  it("keeps the order of one client's commands", async () => {
    await using(new Redis(at('standalone')), async (redis) => {
      await redis.del(key('order'));
      const pushes = [];
      for (let i = 0; i < 500; i++) pushes.push(redis.rpush(key('order'), i));
      assert.deepStrictEqual(
        await Promise.all(pushes),
        Array.from({ length: 500 }, (_, i) => i + 1),
      );
      const list = await redis.lrange(key('order'), 0, -1);
      assert.deepStrictEqual(
        list,
        Array.from({ length: 500 }, (_, i) => String(i)),
      );
    });
  });

  it('never mixes the values of 1000 promises', async () => {
    await using(new Redis(at('standalone')), async (redis) => {
      const sizes = (i) => (i % 97 === 0 ? 20000 : i % 13);
      const value = (i) => `${i}:${'x'.repeat(sizes(i))}`;
      await Promise.all(
        Array.from({ length: 1000 }, (_, i) => redis.set(key(`mix${i}`), value(i), 'EX', 60)),
      );
      for (let round = 0; round < 5; round++) {
        const got = await Promise.all(
          Array.from({ length: 1000 }, (_, i) => redis.get(key(`mix${i}`))),
        );
        got.forEach((text, i) => assert.strictEqual(text, value(i)));
      }
    });
  });

  it('takes commands of thousands of arguments and large values', async () => {
    await using(new Redis(at('standalone')), async (redis) => {
      const list = Array.from({ length: 20000 }, (_, i) => `v${i}`);
      await redis.del(key('long'));
      assert.strictEqual(await redis.rpush(key('long'), list), 20000);
      assert.deepStrictEqual(await redis.lrange(key('long'), 0, -1), list);
      const large = Buffer.alloc(8 << 20, 'ab');
      await redis.set(key('large'), large, 'EX', 60);
      assert.ok((await redis.getBuffer(key('large'))).equals(large));
      assert.strictEqual((await redis.get(key('large'))).length, large.length);
      await redis.del(key('large'), key('long'));
    });
  });

  it('works over a Unix socket and by URL', async () => {
    await using(new Redis(servers.unix_socket), async (redis) => {
      assert.strictEqual(await redis.ping(), 'PONG');
    });
    await using(new Redis(`unix://${servers.unix_socket}?db=4`), async (redis) => {
      assert.match(await redis.client('INFO'), / db=4 /);
    });
    const { options } = new Redis('unix://u:p%40@/run/my%20redis', { lazyConnect: true });
    assert.deepStrictEqual(
      [options.path, options.username, options.password],
      ['/run/my redis', 'u', 'p@'],
    );
    const { host, port, username, password } = servers.acl;
    await using(
      new Redis(`redis://${username}:${encodeURIComponent(password)}@${host}:${port}/2`),
      async (redis) => {
        assert.strictEqual(await redis.call('ACL', 'WHOAMI'), username);
        assert.match(await redis.client('INFO'), / db=2 /);
        assert.strictEqual(redis.options.db, 2);
      },
    );
  });

  it('names itself and takes a database', async () => {
    await using(new Redis(at('standalone', { connectionName: 'tests', db: 3 })), async (redis) => {
      assert.strictEqual(await redis.client('GETNAME'), 'tests');
      assert.match(await redis.client('INFO'), / db=3 /);
    });
  });
});
