'use strict';
/** Publish/subscribe and MONITOR: messages as events, kept up over lost connections. */

const assert = require('node:assert');
const { describe, it } = require('node:test');
const { Redis, servers, at, key, rejection, using, until } = require('./support');

const connected = (body, options) => using(new Redis(at('standalone', options)), body);
const both = (body, options) => connected((one) => connected((two) => body(one, two)), options);

/** Every event of these names that a client emits, as [name, ...arguments]. */
function collect(client, ...names) {
  const events = [];
  for (const name of names) client.on(name, (...args) => events.push([name, ...args]));
  return events;
}

for (const protocol of [2, 3]) {
  describe(`subscriptions by RESP${protocol}`, () => {
    it('count, and deliver text and bytes', async () => {
      await connected(async (other) => {
        await connected(
          async (redis) => {
            const names = ['message', 'pmessage', 'smessage', 'messageBuffer', 'pmessageBuffer'];
            const events = collect(redis, ...names);
            const [a, b, pattern] = [key('a'), key('b'), `${key('p')}*`];
            assert.strictEqual(await redis.subscribe(a, b), 2);
            assert.strictEqual(await redis.psubscribe(pattern), 3);
            assert.strictEqual(await redis.ssubscribe(key('s')), 1);
            const bytes = Buffer.from([0, 255, 13, 10]);
            const long = 'long '.repeat(1000);
            await other.publish(a, 'text äöü');
            await other.publish(a, long);
            await other.publish(b, bytes);
            await other.publish(`${key('p')}1`, 'by pattern');
            await other.spublish(key('s'), 'sharded');
            await until(() => events.length === 9, 'messages');
            const of = (name) =>
              events.filter((event) => event[0] === name).map(([, ...args]) => args);
            assert.deepStrictEqual(of('message')[0], [a, 'text äöü']);
            assert.deepStrictEqual(of('message')[1], [a, long]);
            assert.deepStrictEqual(of('messageBuffer')[1], [Buffer.from(a), Buffer.from(long)]);
            assert.deepStrictEqual(of('messageBuffer')[2], [Buffer.from(b), bytes]);
            const one = `${key('p')}1`;
            assert.deepStrictEqual(of('pmessage'), [[pattern, one, 'by pattern']]);
            const oneAsBytes = [pattern, Buffer.from(one), Buffer.from('by pattern')];
            assert.deepStrictEqual(of('pmessageBuffer'), [oneAsBytes]);
            assert.deepStrictEqual(of('smessage'), [[key('s'), 'sharded']]);
            assert.strictEqual(await redis.unsubscribe(a), 2);
            assert.strictEqual(await redis.unsubscribe(), 1);
            assert.strictEqual(await redis.punsubscribe(), 0);
            assert.strictEqual(await redis.sunsubscribe(key('s')), 0);
            await other.publish(a, 'nobody listens');
            assert.strictEqual(await redis.ping(), 'PONG');
            assert.strictEqual(events.length, 9);
          },
          { protocol },
        );
      });
    });
  });
}

describe('a subscriber', () => {
  it('goes on after a lost connection, and says that messages may be missing', async () => {
    await both(async (redis, other) => {
      const events = collect(redis, 'message', 'gap');
      await redis.subscribe(key('kept'));
      await redis.psubscribe(`${key('kept')}:*`);
      await other.client('KILL', 'TYPE', 'pubsub');
      await until(() => events.some(([name]) => name === 'gap'), 'gap');
      await other.publish(key('kept'), 'after');
      await until(() => events.some(([name]) => name === 'message'), 'message');
      assert.strictEqual(redis.status, 'ready');
    });
  });

  it('with autoResubscribe: false has nothing left after a lost connection', async () => {
    await connected(async (other) => {
      await connected(
        async (redis) => {
          const events = collect(redis, 'message');
          await redis.subscribe(key('dropped'));
          const [id] = /id=(\d+)/.exec(await other.client('LIST', 'TYPE', 'pubsub')).slice(1);
          await other.client('KILL', 'ID', id);
          await until(() => !redis._subscriber.isActive, 'the loss');
          assert.strictEqual((await other.pubsub('NUMSUB', key('dropped')))[1], 0);
          await redis.subscribe(key('later'));
          await other.publish(key('dropped'), 'x');
          await other.publish(key('later'), 'y');
          await until(() => events.length > 0, 'message');
          assert.deepStrictEqual(events, [['message', key('later'), 'y']]);
        },
        { autoResubscribe: false },
      );
    });
  });

  it('subscribes again after disconnect() and connect(), and after select()', async () => {
    await both(async (redis, other) => {
      const events = collect(redis, 'message');
      await redis.subscribe(key('again'));
      redis.disconnect();
      await until(() => redis.status === 'end', 'end');
      await redis.connect();
      const subscribed = async () => (await other.pubsub('NUMSUB', key('again')))[1] === 1;
      await until(subscribed, 'subscription');
      await other.publish(key('again'), '1');
      await until(() => events.length === 1, 'message');
      await redis.select(1);
      await until(subscribed, 'subscription');
      await other.publish(key('again'), '2');
      await until(() => events.length === 2, 'message');
    });
  });

  it('lets other commands through, unless protocol 2 was asked for', async () => {
    await connected(async (redis) => {
      await redis.subscribe(key('mode'));
      assert.strictEqual(redis.mode, 'normal');
      await redis.set(key('x'), 1);
    });
    await connected(
      async (redis) => {
        await redis.subscribe(key('mode'));
        assert.strictEqual(redis.mode, 'subscriber');
        const error = await rejection(redis.get(key('x')));
        assert.match(error.message, /in subscriber mode, only subscriber commands may be used/);
        assert.strictEqual(await redis.ping(), 'PONG');
        await redis.unsubscribe();
        assert.strictEqual(redis.mode, 'normal');
        await redis.get(key('x'));
      },
      { protocol: 2 },
    );
  });

  it('tells callbacks, refuses mistakes, and rejects at the end', async () => {
    await connected(async (redis) => {
      const told = await new Promise((resolve) =>
        redis.subscribe(key('called'), (error, count) => resolve([error, count])),
      );
      assert.deepStrictEqual(told, [null, 1]);
      assert.match((await rejection(redis.subscribe())).message, /wrong number of arguments/);
      const [[error]] = await redis.pipeline().subscribe('x').exec();
      assert.match(error.message, /call it on the client/);
      await redis.quit();
      assert.match((await rejection(redis.subscribe('x'))).message, /Connection is closed/);
    });
    await connected(async (redis) => assert.strictEqual(await redis.unsubscribe(), 0));
  });

  it('is told what its user may not hear', async () => {
    await connected(async (admin) => {
      const user = 'tendon-node-deaf';
      await admin.acl('SETUSER', user, 'on', '>word', '~*', '+@all', 'resetchannels', '&open*');
      await connected(
        async (redis) => {
          const error = await rejection(redis.subscribe('closed'));
          assert.match(error.message, /^NOPERM/);
          assert.strictEqual(await redis.subscribe('open1'), 1);
        },
        { username: user, password: 'word' },
      );
      await admin.acl('DELUSER', user);
    });
  });

  it('works in a cluster, sharded channels on the nodes of their slots', async () => {
    const { host, port } = servers.cluster.nodes[0];
    await using(new Redis.Cluster([{ host, port }]), async (cluster) => {
      const events = collect(cluster, 'message', 'smessage');
      const channels = Array.from({ length: 6 }, (_, i) => key(`sharded:${i}`));
      assert.strictEqual(await cluster.subscribe(key('plain')), 1);
      for (const channel of channels) await cluster.ssubscribe(channel);
      await cluster.publish(key('plain'), 'p');
      for (const channel of channels) await cluster.spublish(channel, channel);
      await until(() => events.length === 7, 'messages');
      const heard = events.filter(([name]) => name === 'smessage').map(([, channel]) => channel);
      assert.deepStrictEqual(heard.sort(), channels.sort());
    });
  });
});

describe('monitor', () => {
  it('tells every command on a client of its own', async () => {
    await connected(async (redis) => {
      const monitor = await redis.monitor();
      await using(monitor, async () => {
        assert.strictEqual(monitor.mode, 'monitor');
        const events = collect(monitor, 'monitor');
        const value = `quote " backslash \\ line\r\n ${key('m')} €`;
        await redis.set(key('m'), value);
        const mine = () => events.find(([, , args]) => args[1] === key('m'));
        await until(mine, 'the command');
        const [, time, args, source, database] = mine();
        assert.match(time, /^\d+\.\d+$/);
        assert.deepStrictEqual(args, ['set', key('m'), value]);
        assert.match(source, /^127\.0\.0\.1:\d+$|^\[::1\]:\d+$/);
        assert.strictEqual(database, '0');
        assert.match((await rejection(monitor.get('x'))).message, /monitor mode/);
      });
      const callback = await new Promise((resolve) =>
        redis.monitor((error, found) => resolve(found)),
      );
      await using(callback, async (found) => assert.ok(found instanceof Redis));
    });
  });
});
