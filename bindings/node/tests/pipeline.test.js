'use strict';
/**
 * pipeline() and multi(): results in order, errors in their places, transactions all or nothing.
 */

const assert = require('node:assert');
const { describe, it, before, after } = require('node:test');
const { Redis, at, key, rejection } = require('./support');

describe('pipelines', () => {
  let redis;
  before(() => {
    redis = new Redis(at('standalone'));
  });
  after(() => redis.quit());

  it('gives [error, result] per command in order', async () => {
    const results = await redis
      .pipeline()
      .set(key('p'), 1)
      .incr(key('p'))
      .lpush(key('p'), 'x')
      .get(key('p'))
      .exec();
    assert.deepStrictEqual(results[0], [null, 'OK']);
    assert.deepStrictEqual(results[1], [null, 2]);
    assert.strictEqual(results[2].length, 1);
    assert.match(results[2][0].message, /^WRONGTYPE/);
    assert.strictEqual(results[2][0].command.name, 'lpush');
    assert.deepStrictEqual(results[3], [null, '2']);
  });

  it('sends everything in order with thousands of commands', async () => {
    const pipeline = redis.pipeline();
    for (let i = 0; i < 5000; i++) pipeline.set(key('many'), i).get(key('many'));
    assert.strictEqual(pipeline.length, 10000);
    const results = await pipeline.exec();
    for (let i = 0; i < 5000; i++) assert.deepStrictEqual(results[2 * i + 1], [null, String(i)]);
  });

  it('gives Buffers in a transaction to the commands that want them', async () => {
    const bytes = Buffer.from([255, 0, 254]);
    await redis.set(key('bytes'), bytes);
    await redis.del(key('bh'), key('bl'));
    const fill = (transaction) =>
      transaction
        .getBuffer(key('bytes'))
        .hset(key('bh'), { f: 'é' })
        .hgetall(key('bh'))
        .hgetallBuffer(key('bh'))
        .rpush(key('bl'), 'a')
        .lrange(key('bl'), 0, -1)
        .lpush(key('bytes'), 'x');
    const check = (results) => {
      assert.deepStrictEqual(results.slice(0, 6), [
        [null, bytes],
        [null, 1],
        [null, { f: 'é' }],
        [null, { f: Buffer.from('é') }],
        [null, 1],
        [null, ['a']],
      ]);
      assert.match(results[6][0].message, /^WRONGTYPE/);
    };
    check(await fill(redis.multi()).exec());
    await redis.del(key('bh'), key('bl'));
    await redis.multi({ pipeline: false });
    const queued = redis.getBuffer(key('bytes'));
    assert.strictEqual(String(await queued), 'QUEUED');
    await redis.get(key('none'));
    assert.deepStrictEqual(await redis.exec(), [
      [null, bytes],
      [null, null],
    ]);
  });

  it('takes arrays, callbacks and Buffer variants', async () => {
    let seen;
    const results = await redis
      .pipeline([
        ['set', key('a'), 'v'],
        [
          'get',
          key('a'),
          (error, value) => {
            seen = value;
          },
        ],
      ])
      .getBuffer(key('a'))
      .hset(key('ah'), { f: 1 })
      .hgetall(key('ah'))
      .call('ECHO', 'hi')
      .exec();
    assert.strictEqual(seen, 'v');
    assert.deepStrictEqual(results[2], [null, Buffer.from('v')]);
    assert.deepStrictEqual(results[4], [null, { f: '1' }]);
    assert.deepStrictEqual(results[5], [null, 'hi']);
    await redis.del(key('ah'));
  });

  it('is empty without commands and refuses a second exec', async () => {
    const pipeline = redis.pipeline();
    assert.deepStrictEqual(await pipeline.exec(), []);
    assert.match((await rejection(pipeline.exec())).message, /executed already/);
  });

  it('calls back', async () => {
    const results = await new Promise((resolve, reject) => {
      redis
        .pipeline()
        .ping()
        .exec((error, value) => (error ? reject(error) : resolve(value)));
    });
    assert.deepStrictEqual(results, [[null, 'PONG']]);
  });

  it('holds "Connection is closed." on a closed client', async () => {
    const closed = new Redis(at('standalone', { lazyConnect: true }));
    closed.disconnect();
    const results = await closed.pipeline().get('a').set('b', 1).exec();
    assert.strictEqual(results.length, 2);
    for (const [error] of results) assert.strictEqual(error.message, 'Connection is closed.');
  });
});

describe('transactions', () => {
  let redis;
  before(() => {
    redis = new Redis(at('standalone'));
  });
  after(() => redis.quit());

  it('gives the results of EXEC', async () => {
    await redis.del(key('th'));
    const results = await redis
      .multi()
      .set(key('t'), 1)
      .incr(key('t'))
      .hset(key('th'), 'f', 'v')
      .hgetall(key('th'))
      .exec();
    assert.deepStrictEqual(results, [
      [null, 'OK'],
      [null, 2],
      [null, 1],
      [null, { f: 'v' }],
    ]);
  });

  it('keeps errors of single commands in their places', async () => {
    await redis.set(key('t'), 'text');
    const results = await redis.multi().lpush(key('t'), 'x').get(key('t')).exec();
    assert.match(results[0][0].message, /^WRONGTYPE/);
    assert.deepStrictEqual(results[1], [null, 'text']);
  });

  it('rejects with EXECABORT and what led to it, and executes nothing', async () => {
    await redis.set(key('t'), 'before');
    const error = await rejection(redis.multi().set(key('t'), 'after').call('NOSUCH').exec());
    assert.ok(error instanceof Redis.ReplyError);
    assert.match(error.message, /^EXECABORT/);
    assert.match(error.previousErrors[0].message, /unknown command/);
    assert.strictEqual(await redis.get(key('t')), 'before');
  });

  it("is atomic among many clients' transactions", async () => {
    await redis.set(key('sum'), 0);
    const runs = Array.from({ length: 200 }, () =>
      redis.multi().incr(key('sum')).incr(key('sum')).exec(),
    );
    const results = await Promise.all(runs);
    results.forEach((result, i) =>
      assert.deepStrictEqual(result, [
        [null, 2 * i + 1],
        [null, 2 * i + 2],
      ]),
    );
  });

  it('stands inside a pipeline', async () => {
    const results = await redis
      .pipeline()
      .set(key('i'), 1)
      .multi()
      .incr(key('i'))
      .exec()
      .get(key('i'))
      .exec();
    assert.deepStrictEqual(results, [
      [null, 'OK'],
      [null, 'OK'],
      [null, 'QUEUED'],
      [null, [2]],
      [null, '2'],
    ]);
  });

  it('tells QUEUED to the callbacks of single commands', async () => {
    let queued;
    await redis
      .multi()
      .set(key('q'), 1, (error, value) => {
        queued = value;
      })
      .exec();
    assert.strictEqual(queued, 'QUEUED');
  });

  it('refuses what needs a connection of its own', async () => {
    for (const name of ['watch', 'subscribe', 'select', 'monitor']) {
      const [[error]] = await redis.pipeline()[name]('x').exec();
      assert.ok(error instanceof Redis.TendonError, name);
      assert.match(error.message, new RegExp(`Command ${name} is not supported`));
    }
    const error = await rejection(redis.multi().set(key('t'), 'half').call('SELECT', 1).exec());
    assert.match(error.message, /Command select is not supported/);
    assert.strictEqual(await redis.get(key('t')), 'before');
  });
});
