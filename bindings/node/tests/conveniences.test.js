'use strict';
/** Scripts as commands, key prefix, shapes of RESP3, scan streams, hooks. */

const assert = require('node:assert');
const { describe, it } = require('node:test');
const {
  Redis,
  servers,
  at,
  key,
  rejection,
  using,
  until,
  record,
  startFake,
} = require('./support');

const connected = (body, options) => using(new Redis(at('standalone', options)), body);
const inCluster = (body, options) => {
  const { host, port } = servers.cluster.nodes[0];
  return using(new Redis.Cluster([{ host, port }], options), body);
};
const ECHO = { lua: 'return {KEYS[1], ARGV[1]}', numberOfKeys: 1 };

describe('defineCommand', () => {
  it('makes a script a method with a twin, in pipelines and transactions, too', async () => {
    await connected(async (redis) => {
      redis.defineCommand('echo2', ECHO);
      await redis.script('FLUSH');
      assert.deepStrictEqual(await redis.echo2('k', 'v'), ['k', 'v']);
      assert.deepStrictEqual(await redis.echo2Buffer('k', 'v'), [
        Buffer.from('k'),
        Buffer.from('v'),
      ]);
      assert.deepStrictEqual(await redis.pipeline().echo2('k', 1).ping().exec(), [
        [null, ['k', '1']],
        [null, 'PONG'],
      ]);
      await redis.script('FLUSH');
      assert.deepStrictEqual(await redis.pipeline().echo2('k', 2).exec(), [[null, ['k', '2']]]);
      await redis.script('FLUSH');
      assert.deepStrictEqual(await redis.multi().echo2('k', 3).exec(), [[null, ['k', '3']]]);
      const viaCallback = new Promise((resolve) =>
        redis.echo2('k', 'c', (_, value) => resolve(value)),
      );
      assert.deepStrictEqual(await viaCallback, ['k', 'c']);
    });
  });

  it('takes the number of keys from the call when it has none of its own', async () => {
    const scripts = { echo3: { lua: 'return #KEYS' }, bad: { lua: 'return redis.call("nosuch")' } };
    await connected(
      async (redis) => {
        assert.strictEqual(await redis.echo3(2, 'a', 'b', 'c'), 2);
        assert.ok((await rejection(redis.bad(0))) instanceof Redis.ReplyError);
      },
      { scripts },
    );
  });

  it('reads from replicas of a cluster when it is read-only', async () => {
    const scripts = {
      peek: { lua: 'return redis.call("get", KEYS[1])', numberOfKeys: 1, readOnly: true },
    };
    await inCluster(
      async (cluster) => {
        await cluster.set(key('peek'), 'v');
        await cluster.wait(1, 1000);
        assert.strictEqual(await cluster.peek(key('peek')), 'v');
        assert.strictEqual(await cluster.peek(key('peek')), 'v');
      },
      { scripts, scaleReads: 'slave' },
    );
  });

  it('refuses what is no script', async () => {
    await connected(async (redis) => {
      assert.throws(() => redis.defineCommand('x', {}), /wants its source/);
      assert.throws(() => redis.defineCommand('', ECHO), /wants a name/);
      assert.throws(() => redis.defineCommand('x', { lua: 'x', numberOfKeys: -1 }), /numberOfKeys/);
      assert.throws(() => new Redis({ lazyConnect: true, scripts: { x: {} } }), /scripts\.x/);
    });
  });
});

describe('keyPrefix', () => {
  it('stands before every key, and nothing else', async () => {
    await connected(async (plain) => {
      const prefix = key('prefix:');
      await connected(
        async (redis) => {
          await redis.set('k', 'v');
          await redis.mset({ a: 1, b: 2 });
          assert.strictEqual(await plain.get(`${prefix}k`), 'v');
          assert.deepStrictEqual(await redis.mget('a', 'b', 'k'), ['1', '2', 'v']);
          assert.deepStrictEqual(await redis.keys(`${prefix}*`).then((found) => found.sort()), [
            `${prefix}a`,
            `${prefix}b`,
            `${prefix}k`,
          ]);
          assert.strictEqual(
            await redis.eval('return KEYS[1] .. ARGV[1]', 1, 'k', 'x'),
            `${prefix}kx`,
          );
          await redis.del('list', 'sorted');
          await redis.rpush('list', 'a', 'b');
          const sorted = await redis.sort(
            'list',
            'BY',
            'nosort',
            'GET',
            '*',
            'GET',
            '#',
            'STORE',
            'sorted',
          );
          assert.strictEqual(sorted, 4);
          assert.deepStrictEqual(await plain.lrange(`${prefix}sorted`, 0, -1), [
            '1',
            'a',
            '2',
            'b',
          ]);
          await redis.xadd('s1', '*', 'f', 'v');
          const [[name]] = await redis.xread('COUNT', 1, 'STREAMS', 's1', 's2', 0, 0);
          assert.strictEqual(name, `${prefix}s1`);
          await redis.zadd('z1', 1, 'm');
          assert.deepStrictEqual(await redis.zunion(2, 'z1', 'z2'), ['m']);
          assert.strictEqual(await redis.object('ENCODING', 'z1'), 'listpack');
          assert.deepStrictEqual(await redis.pipeline().get('k').exec(), [[null, 'v']]);
          await redis.watch('k');
          assert.deepStrictEqual(await redis.multi().get('k').exec(), [[null, 'v']]);
          await redis.set(Buffer.from('bytes'), 'v');
          assert.strictEqual(await plain.get(`${prefix}bytes`), 'v');
          await redis.del('k', 'a', 'b', 'list', 'sorted', 's1', 'z1', 'bytes');
          assert.deepStrictEqual(await plain.keys(`${prefix}*`), []);
        },
        { keyPrefix: prefix },
      );
    });
  });

  it('routes by the whole key in a cluster', async () => {
    await inCluster(
      async (cluster) => {
        await cluster.set('k', 'v');
        assert.strictEqual(await cluster.get('k'), 'v');
      },
      { keyPrefix: Buffer.from(key('cluster:')) },
    );
  });
});

describe('replyMapping "resp3"', () => {
  it('gives objects, pairs and numbers', async () => {
    await connected(
      async (redis) => {
        const k = key('resp3');
        await redis.del(k);
        await redis.zadd(k, 1.5, 'a');
        assert.deepStrictEqual(await redis.zrange(k, 0, -1, 'WITHSCORES'), [['a', 1.5]]);
        assert.strictEqual(await redis.zscore(k, 'a'), 1.5);
        assert.deepStrictEqual(await redis.config('GET', 'maxmemory'), { maxmemory: '0' });
        await redis.del(k);
        await redis.hset(k, '__proto__', 'safe', 'b', 'two');
        const hash = await redis.hgetall(k);
        assert.deepStrictEqual(Object.entries(hash), [
          ['__proto__', 'safe'],
          ['b', 'two'],
        ]);
        assert.deepStrictEqual((await redis.hgetallBuffer(k)).b, Buffer.from('two'));
        assert.deepStrictEqual(await redis.multi().hgetall(k).exec(), [[null, hash]]);
      },
      { replyMapping: 'resp3' },
    );
  });

  it('wants protocol 3', () => {
    const options = { lazyConnect: true, protocol: 2, replyMapping: 'resp3' };
    assert.throws(() => new Redis(options), /wants protocol 3/);
  });
});

describe('scan streams', () => {
  it('give pages until the end, as text and as Buffers', async () => {
    await connected(async (redis) => {
      const members = Array.from({ length: 500 }, (_, i) => `${key('scan')}:${i}`);
      await redis.mset(...members.flatMap((name) => [name, 1]));
      await redis.del(key('set'));
      await redis.sadd(key('set'), members);
      await redis.hset(key('hash'), Object.fromEntries(members.map((name) => [name, '1'])));
      const found = new Set();
      for await (const page of redis.scanStream({ match: `${key('scan')}:*`, count: 50 }))
        for (const name of page) found.add(name);
      assert.deepStrictEqual([...found].sort(), members.sort());
      const inSet = [];
      for await (const page of redis.sscanBufferStream(key('set'))) inSet.push(...page);
      assert.ok(inSet.every(Buffer.isBuffer) && new Set(inSet.map(String)).size === 500);
      const pairs = [];
      for await (const page of redis.hscanStream(key('hash'))) pairs.push(...page);
      assert.strictEqual(pairs.length, 1000);
      await redis.del(...members, key('set'), key('hash'));
    });
  });

  it('can be closed, and tell errors', async () => {
    await connected(async (redis) => {
      await redis.set(key('text'), 1);
      const stream = redis.zscanStream(key('text'));
      const error = await new Promise((resolve) => stream.once('error', resolve).resume());
      assert.match(error.message, /^WRONGTYPE/);
      const closed = redis.scanStream();
      closed.close();
      for await (const page of closed) assert.fail(`a page ${page}`);
    });
  });
});

describe('hooks', () => {
  it('transform arguments and replies of a name', async () => {
    Redis.Command.setArgumentTransformer('getset', (args) => args.map((each) => `${each}`.trim()));
    Redis.Command.setReplyTransformer('getset', (reply) => ({ reply }));
    await connected(async (redis) => {
      await redis.set(key('hook'), 'old');
      assert.deepStrictEqual(await redis.getset(` ${key('hook')} `, ' new '), { reply: 'old' });
      assert.strictEqual(await redis.get(key('hook')), 'new');
    });
  });

  it('send Command objects', async () => {
    await connected(async (redis) => {
      await redis.set(key('object'), 'v');
      const text = new Redis.Command('get', [key('object')], { replyEncoding: 'utf8' });
      assert.strictEqual(await redis.sendCommand(text), 'v');
      const bytes = new Redis.Command('get', [key('object')]);
      assert.deepStrictEqual(await redis.sendCommand(bytes), Buffer.from('v'));
      redis.addBuiltinCommand('nosuchcommand');
      assert.match((await rejection(redis.nosuchcommand(1))).message, /^ERR unknown command/);
      assert.strictEqual(typeof redis.createBuiltinCommand('x').buffer, 'function');
    });
  });

  it('reconnectOnError decides about the connection and about sending again', async () => {
    let refusals = 0;
    const server = await startFake((socket, text) => {
      if (text.includes('refused')) socket.write(refusals++ === 0 ? '-BROKEN now\r\n' : '+OK\r\n');
      else socket.write('-ERR other\r\n');
    });
    const reconnectOnError = (error) => (error.message.startsWith('BROKEN') ? 2 : false);
    const redis = new Redis({ port: server.port, reconnectOnError, retryStrategy: () => 1 });
    const events = record(redis);
    await using(redis, async () => {
      assert.strictEqual(await redis.set('refused', 1), 'OK');
      assert.match((await rejection(redis.set('x', 1))).message, /^ERR other/);
      await until(() => events.names().includes('reconnecting'), 'reconnecting');
    });
    server.close();
  });
});
