'use strict';
/** WATCH and MULTI over several calls, and commands that change what every connection is like. */

const assert = require('node:assert');
const { describe, it } = require('node:test');
const { Redis, servers, at, key, rejection, using, until } = require('./support');

const connected = (body, options) => using(new Redis(at('standalone', options)), body);

describe('WATCH', () => {
  it('lets a transaction through when nothing changed, and not when something did', async () => {
    await connected(async (redis) => {
      await connected(async (other) => {
        const k = key('watched');
        await redis.set(k, '1');
        assert.strictEqual(await redis.watch(k, key('watched:2')), 'OK');
        const next = Number(await redis.get(k)) + 1;
        assert.deepStrictEqual(await redis.multi().set(k, next).get(k).exec(), [
          [null, 'OK'],
          [null, '2'],
        ]);
        await redis.watch([k]);
        await other.set(k, 'changed');
        assert.strictEqual(await redis.multi().set(k, 'lost').exec(), null);
        assert.strictEqual(await redis.get(k), 'changed');
      });
    });
  });

  it('gives its connection back after EXEC and after UNWATCH', async () => {
    await connected(async (redis) => {
      const k = key('watched');
      for (let i = 0; i < 50; i++) {
        await redis.watch(k);
        if (i % 2 === 0) await redis.multi().set(k, i).exec();
        else assert.strictEqual(await redis.unwatch(), 'OK');
      }
      assert.strictEqual(await redis.unwatch(), 'OK');
      await until(() => redis.stats().leased === 0, 'leases back');
      assert.ok(redis.stats().created <= 4, `${redis.stats().created} connections`);
    });
  });

  it('rejects its commands as any other when the client is closed', async () => {
    await connected(async (redis) => {
      await redis.watch(key('watched'));
      const waiting = redis.blpop(key('nothing'), 0);
      const subscribing = redis.subscribe(key('never'));
      redis.disconnect();
      assert.strictEqual((await rejection(waiting)).message, 'Connection is closed.');
      await subscribing.catch((error) =>
        assert.strictEqual(error.message, 'Connection is closed.'),
      );
    });
  });

  it('does not execute what was watched on a connection that is lost', async () => {
    await connected(async (redis) => {
      await connected(async (other) => {
        const k = key('watched');
        await redis.set(k, 'before');
        await redis.watch(k);
        await other.client('KILL', 'ID', await redis.client('ID'));
        const failed = await rejection(redis.multi().set(k, 'unguarded').exec());
        assert.strictEqual(failed.status, 'DISCONNECTED');
        assert.strictEqual(await redis.get(k), 'before');
        await redis.watch(k);
        await other.client('KILL', 'ID', await redis.client('ID'));
        await rejection(redis.get(k));
        await redis.watch(k);
        assert.deepStrictEqual(await redis.multi().set(k, 'after').exec(), [[null, 'OK']]);
      });
    });
  });

  it('works in a cluster for the slot of its keys, others go on as ever', async () => {
    const node = servers.cluster.nodes[0];
    await using(new Redis.Cluster([{ host: node.host, port: node.port }]), async (cluster) => {
      const k = (name) => `{${key('w')}}${name}`;
      await cluster.set(k('1'), '1');
      assert.strictEqual(await cluster.watch(k('1'), k('2')), 'OK');
      await Promise.all(['a', 'b', 'c', 'd'].map((name) => cluster.set(key(name), name)));
      assert.strictEqual(await cluster.get(k('1')), '1');
      await cluster.set(k('2'), 'mine');
      assert.strictEqual(await cluster.multi().set(k('1'), '2').exec(), null);
      await cluster.watch(k('1'));
      assert.deepStrictEqual(await cluster.multi().set(k('1'), '2').exec(), [[null, 'OK']]);
      const error = await rejection(cluster.watch(key('a'), key('b')));
      assert.match(error.message, /^CROSSSLOT|slot/);
    });
  });
});

describe('multi({ pipeline: false })', () => {
  it('queues each command at once, and gives their results at exec()', async () => {
    await connected(async (redis) => {
      const k = key('queued');
      await redis.del(k);
      assert.strictEqual(await redis.multi({ pipeline: false }), 'OK');
      assert.strictEqual(await redis.hset(k, { a: 1 }), 'QUEUED');
      assert.strictEqual(await redis.hgetall(k), 'QUEUED');
      assert.strictEqual(await redis.lpush(k, 1), 'QUEUED');
      const results = await redis.exec();
      assert.deepStrictEqual(results.slice(0, 2), [
        [null, 1],
        [null, { a: '1' }],
      ]);
      assert.match(results[2][0].message, /^WRONGTYPE/);
      assert.strictEqual(await redis.hget(k, 'a'), '1');
    });
  });

  it('can be discarded, and refuses what has no beginning', async () => {
    await connected(async (redis) => {
      await redis.multi({ pipeline: false });
      await redis.set(key('discarded'), 1);
      assert.strictEqual(await redis.discard(), 'OK');
      assert.strictEqual(await redis.exists(key('discarded')), 0);
      assert.match((await rejection(redis.exec())).message, /^ERR EXEC without MULTI/);
      assert.match((await rejection(redis.discard())).message, /^ERR DISCARD without MULTI/);
      await redis.multi({ pipeline: false });
      await rejection(redis.call('NOSUCH'));
      assert.match((await rejection(redis.exec())).message, /^EXECABORT/);
    });
  });
});

describe('select', () => {
  it('goes on in another database, in the order of calls', async () => {
    await connected(async (redis) => {
      const events = [];
      redis.on('select', (db) => events.push(db));
      const k = key('db');
      const results = await Promise.all([
        redis.set(k, 'zero'),
        redis.select(3),
        redis.set(k, 'three'),
        redis.get(k),
        redis.select('0'),
        redis.get(k),
      ]);
      assert.deepStrictEqual(results, ['OK', 'OK', 'OK', 'three', 'OK', 'zero']);
      await until(() => events.length === 2, 'events');
      assert.deepStrictEqual(events, [3, 0]);
      assert.strictEqual(redis.status, 'ready');
    });
  });

  it('stays where it was when the server knows no such database', async () => {
    await connected(async (redis) => {
      const errors = [];
      redis.on('error', (error) => errors.push(error));
      const error = await rejection(redis.select(99));
      assert.ok(error instanceof Redis.ReplyError, String(error));
      assert.match(error.message, /^ERR DB index is out of range/);
      await rejection(redis.select('nonsense'));
      assert.strictEqual(await redis.set(key('db'), 1), 'OK');
      assert.strictEqual(redis.options.db, 0);
      assert.deepStrictEqual(errors, []);
    });
  });

  it('survives a reconnect', async () => {
    await connected(async (redis) => {
      await redis.select(2);
      await redis.set(key('db2'), 'two', 'EX', 60);
      redis.disconnect(true);
      assert.strictEqual(await redis.get(key('db2')), 'two');
    });
  });

  it('is refused by a cluster', async () => {
    const { host, port } = servers.cluster.nodes[0];
    await using(new Redis.Cluster([{ host, port }]), async (cluster) => {
      assert.match((await rejection(cluster.select(1))).message, /not allowed in cluster mode/);
    });
  });
});

describe('auth, hello and reset', () => {
  it('log in as somebody else for every later connection', async () => {
    const { username, password, readonly_username: reader, readonly_password: word } = servers.acl;
    await using(new Redis(at('acl', { username, password })), async (redis) => {
      assert.strictEqual(await redis.acl('WHOAMI'), username);
      const wrong = await rejection(redis.auth('nobody', 'nothing'));
      assert.match(wrong.message, /^WRONGPASS/);
      assert.doesNotMatch(wrong.message, /nothing/);
      assert.strictEqual(await redis.acl('WHOAMI'), username);
      assert.strictEqual(await redis.auth(reader, word), 'OK');
      assert.match((await rejection(redis.set('app:x', 1))).message, /^NOPERM/);
      redis.disconnect(true);
      assert.match((await rejection(redis.set('app:x', 1))).message, /^NOPERM/);
    });
  });

  it('say what the server is', async () => {
    await connected(async (redis) => {
      const flat = await redis.hello();
      assert.strictEqual(flat[flat.indexOf('proto') + 1], 2);
      const three = await redis.hello(3, 'SETNAME', 'named');
      assert.strictEqual(three[three.indexOf('proto') + 1], 3);
      assert.strictEqual(await redis.client('GETNAME'), 'named');
      assert.match((await rejection(redis.hello(3, 'NONSENSE'))).message, /^ERR Syntax error/);
    });
  });

  it('end what was watched and selected', async () => {
    await connected(async (redis) => {
      await redis.select(1);
      await redis.watch(key('x'));
      assert.strictEqual(await redis.reset(), 'RESET');
      assert.strictEqual(redis.options.db, 0);
      await until(() => redis.stats().leased === 0, 'leases back');
    });
  });
});
