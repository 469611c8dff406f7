'use strict';
/** Arguments that are wrong, odd or too large: each is answered as by ioredis, or better. */

const assert = require('node:assert');
const { describe, it, before, after } = require('node:test');
const { Redis, servers, at, key, rejection, using } = require('./support');

describe('arguments', () => {
  let redis;
  before(() => {
    redis = new Redis(at('standalone'));
  });
  after(() => redis.quit());

  it('too few or too many are the server to refuse', async () => {
    for (const call of [redis.get(), redis.get('a', 'b'), redis.hset('h'), redis.mset('a')]) {
      const error = await rejection(call);
      assert.ok(error instanceof Redis.ReplyError, String(error));
      assert.match(error.message, /^ERR wrong number of arguments/);
    }
  });

  it('of the wrong type, and options that exclude each other, too', async () => {
    await redis.set(key('text'), 'text');
    const calls = {
      'ERR value is not an integer': [
        redis.incr(key('text')),
        redis.expire(key('text'), 'soon'),
        redis.incrby(key('n'), 1.5),
        redis.incrby(key('n'), '9223372036854775808'),
      ],
      WRONGTYPE: [redis.lpush(key('text'), 1), redis.hgetall(key('text'))],
      'ERR syntax error': [
        redis.set(key('text'), 'v', 'NX', 'XX'),
        redis.set(key('text'), 'v', 'EX', 1, 'PX', 1),
      ],
    };
    for (const [start, promises] of Object.entries(calls)) {
      for (const promise of promises) {
        const error = await rejection(promise);
        assert.ok(error instanceof Redis.ReplyError);
        assert.ok(error.message.startsWith(start), error.message);
      }
    }
  });

  it('null and undefined are empty texts, objects what String makes of them', async () => {
    await redis.set(key('empty'), undefined);
    assert.strictEqual(await redis.get(key('empty')), '');
    await redis.set(key('empty'), { a: 1 });
    assert.strictEqual(await redis.get(key('empty')), '[object Object]');
    assert.strictEqual(await redis.set('', 'the empty key', 'EX', 5), 'OK');
    assert.strictEqual(await redis.get(''), 'the empty key');
    assert.strictEqual(await redis.del(''), 1);
    await redis
      .set(key('empty'), Symbol.iterator)
      .catch((error) => assert.ok(error instanceof Error));
  });

  it('integers beyond 2^53 keep their digits both ways', async () => {
    await redis.del(key('big'));
    assert.strictEqual(await redis.incrby(key('big'), 9223372036854775807n), '9223372036854775807');
    assert.strictEqual(await redis.get(key('big')), '9223372036854775807');
    assert.match((await rejection(redis.incr(key('big')))).message, /^ERR .*overflow/);
    await redis.hset(key('bighash'), { n: 9007199254740993n });
    assert.strictEqual(await redis.hincrby(key('bighash'), 'n', 0), '9007199254740993');
    await redis.zadd(key('bigscore'), 2 ** 60, 'm');
    assert.strictEqual(Number(await redis.zscore(key('bigscore'), 'm')), 2 ** 60);
  });

  it('bytes that are no UTF-8 come back as they were in Buffers', async () => {
    const bytes = Buffer.from([0xff, 0xfe, 0xc3, 0x28, 0x00]);
    await redis.del(key('bytes'));
    await redis.hset(key('bytes'), bytes, bytes);
    assert.deepStrictEqual(await redis.hvalsBuffer(key('bytes')), [bytes]);
    assert.deepStrictEqual(await redis.hkeysBuffer(key('bytes')), [bytes]);
    assert.deepStrictEqual(await redis.hgetBuffer(key('bytes'), bytes), bytes);
    assert.strictEqual(typeof (await redis.hget(key('bytes'), bytes)), 'string');
  });

  it('a lone surrogate is sent as the replacement character', async () => {
    await redis.set(key('surrogate'), '\ud800x');
    assert.strictEqual(await redis.get(key('surrogate')), '\ufffdx');
  });

  it('of scripts: a wrong number of keys is told before anything runs', async () => {
    redis.defineCommand('withKeys', { lua: 'return KEYS', numberOfKeys: 2 });
    assert.match((await rejection(redis.withKeys('one'))).message, /^ERR Number of keys/);
    assert.match((await rejection(redis.eval('return 1', 'x'))).message, /^ERR value is not an/);
  });
});

describe('a cluster', () => {
  it('refuses keys of several slots where a command cannot be split', async () => {
    const { host, port } = servers.cluster.nodes[0];
    await using(new Redis.Cluster([{ host, port }]), async (cluster) => {
      const keys = [key('slot:a'), key('slot:b')];
      for (const call of [
        cluster.rename(...keys),
        cluster.sinter(...keys),
        cluster.eval('return 1', 2, ...keys),
        cluster.multi().set(keys[0], 1).set(keys[1], 2).exec(),
      ]) {
        const error = await rejection(call);
        assert.match(`${error.status} ${error.message}`, /CROSSSLOT|slot/i);
      }
      assert.deepStrictEqual(await cluster.pipeline().get(keys[0]).get(keys[1]).exec(), [
        [null, null],
        [null, null],
      ]);
    });
  });
});
