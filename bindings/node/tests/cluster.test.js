'use strict';
/**
 * Redis.Cluster against real clusters, plain and TLS: routing, pipelines, replicas, events, errors.
 */

const assert = require('node:assert');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describe, it, before, after } = require('node:test');
const {
  Redis,
  freePort,
  key,
  record,
  rejection,
  servers,
  sleep,
  startRedis,
  until,
  using,
} = require('./support');

const seeds = (name) => servers[name].nodes.map(({ host, port }) => ({ host, port }));
const kinds = {
  plain: [() => seeds('cluster'), {}],
  'plain, RESP3, one seed': [() => seeds('cluster').slice(0, 1), { redisOptions: { protocol: 3 } }],
  TLS: [() => seeds('tls_cluster'), { redisOptions: { tls: { caFile: servers.ca_file } } }],
  'TLS at the top level': [() => seeds('tls_cluster'), { tls: { caFile: servers.ca_file } }],
};

for (const [kind, [nodes, options]] of Object.entries(kinds)) {
  describe(`cluster: ${kind}`, () => {
    let cluster;
    const k = (name) => key(`${kind}:${name}`);
    before(() => {
      cluster = new Redis.Cluster(nodes(), options);
    });
    after(() => cluster.quit());

    it('routes every key to its node', async () => {
      const names = Array.from({ length: 300 }, (_, i) => k(`k${i}`));
      await Promise.all(names.map((name, i) => cluster.set(name, i, 'EX', 60)));
      const values = await Promise.all(names.map((name) => cluster.get(name)));
      values.forEach((value, i) => assert.strictEqual(value, String(i)));
      const holders = await Promise.all(cluster.nodes('master').map((node) => node.dbsize()));
      assert.strictEqual(holders.length, 3);
      for (const count of holders) assert.ok(count > 0);
    });

    it('runs pipelines across nodes and transactions on one', async () => {
      const pipeline = cluster.pipeline();
      for (let i = 0; i < 100; i++) pipeline.set(k(`p${i}`), i, 'EX', 60).get(k(`p${i}`));
      const results = await pipeline.exec();
      for (let i = 0; i < 100; i++) assert.deepStrictEqual(results[2 * i + 1], [null, String(i)]);
      const tag = `{${k('tag')}}`;
      const transaction = await cluster
        .multi()
        .set(`${tag}a`, 1)
        .incr(`${tag}a`)
        .mget(`${tag}a`, `${tag}b`)
        .exec();
      assert.deepStrictEqual(transaction, [
        [null, 'OK'],
        [null, 2],
        [null, ['2', null]],
      ]);
    });

    it('reports keys of several slots', async () => {
      const error = await rejection(cluster.sunion('a', 'b', 'c'));
      assert.match(error.message, /slot/i);
    });
  });
}

describe('cluster', () => {
  it('has the events and statuses of ioredis', async () => {
    const cluster = new Redis.Cluster(seeds('cluster'), { lazyConnect: true });
    const events = record(cluster);
    const added = [];
    cluster.on('+node', (node, name) => added.push(name));
    assert.strictEqual(cluster.status, 'wait');
    await cluster.connect();
    assert.strictEqual(cluster.status, 'ready');
    assert.ok(cluster.isCluster);
    assert.strictEqual(await cluster.set(key('ev'), 1), 'OK');
    await until(() => added.length === 6, 'six +node events');
    assert.strictEqual(await cluster.quit(), 'OK');
    assert.strictEqual(cluster.status, 'end');
    assert.strictEqual(await cluster.quit(), 'OK');
    await until(() => events.names().includes('end'));
    assert.deepStrictEqual(events.names(), ['connecting', 'connect', 'ready', 'close', 'end']);
    assert.strictEqual((await rejection(cluster.get('x'))).message, 'Connection is closed.');
  });

  it('lists its nodes by role', async () => {
    await using(new Redis.Cluster(seeds('cluster')), async (cluster) => {
      await cluster.ping();
      assert.strictEqual(cluster.nodes().length, 6);
      assert.strictEqual(cluster.nodes('master').length, 3);
      assert.strictEqual(cluster.nodes('slave').length, 3);
      assert.throws(() => cluster.nodes('replica'), /Invalid role/);
      const replies = await Promise.all(cluster.nodes().map((node) => node.ping()));
      assert.deepStrictEqual(replies, Array(6).fill('PONG'));
    });
  });

  it('reaches nodes by natMap', async () => {
    const ports = servers.cluster.nodes.map((node) => node.port);
    const natMap = Object.fromEntries(
      ports.map((port) => [`127.0.0.1:${port}`, { host: 'localhost', port }]),
    );
    await using(new Redis.Cluster(seeds('cluster'), { natMap }), async (cluster) => {
      await Promise.all(ports.map((port) => cluster.get(key(`nat${port}`))));
      const hosts = cluster.nodes().map((node) => node.options.host);
      assert.deepStrictEqual(hosts, Array(6).fill('localhost'));
    });
  });

  it('reads from replicas on request', async () => {
    await using(new Redis.Cluster(seeds('cluster'), { scaleReads: 'slave' }), async (cluster) => {
      const name = key('replica');
      await cluster.set(name, 'v', 'EX', 60);
      await until(async () => (await cluster.get(name)) === 'v', 'replication');
      const before = await readsOfReplicas(cluster);
      for (let i = 0; i < 20; i++) assert.strictEqual(await cluster.get(name), 'v');
      assert.ok((await readsOfReplicas(cluster)) >= before + 20);
    });
  });

  it('takes any number of clusterRetryStrategy as a delay', async () => {
    const answers = [0, -5, NaN, Infinity];
    const port = await freePort();
    const clusterRetryStrategy = () => answers.shift();
    const cluster = new Redis.Cluster([{ host: '127.0.0.1', port }], { clusterRetryStrategy });
    await using(cluster, async () => {
      const events = record(cluster);
      await until(() => events.names().includes('end'));
      assert.deepStrictEqual(events.of('reconnecting'), [0, -5, NaN, Infinity]);
    });
  });

  it('asks clusterRetryStrategy while no node answers, and ends when told to', async () => {
    const asked = [];
    const clusterRetryStrategy = (times) => {
      asked.push(times);
      return times < 3 ? 20 : null;
    };
    const cluster = new Redis.Cluster([{ host: '127.0.0.1', port: await freePort() }], {
      clusterRetryStrategy,
    });
    const events = record(cluster);
    const error = await rejection(cluster.get('x'));
    await until(() => events.names().includes('end'));
    assert.strictEqual(error.message, 'None of startup nodes is available');
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
    const [first] = events.of('error');
    assert.strictEqual(first.message, 'Failed to refresh slots cache.');
    assert.strictEqual(first.lastNodeError.code, 'ECONNREFUSED');
  });

  it('tells node errors by node', async () => {
    const dead = await freePort();
    const nodes = [{ host: '127.0.0.1', port: dead }, ...seeds('cluster')];
    await using(new Redis.Cluster(nodes), async (cluster) => {
      const told = [];
      cluster.on('node error', (error, name) => told.push([error.code, name]));
      assert.strictEqual(await cluster.set(key('ne'), 1), 'OK');
      await until(() => told.length > 0, 'node error');
      assert.deepStrictEqual(told[0], ['ECONNREFUSED', `127.0.0.1:${dead}`]);
    });
  });

  it('takes start-up nodes as text and duplicates', async () => {
    const [{ host, port }] = seeds('cluster');
    for (const node of [`redis://${host}:${port}`, `${host}:${port}`, port]) {
      await using(new Redis.Cluster([node]), async (cluster) => {
        assert.strictEqual(await cluster.set(key('dup'), 1), 'OK');
      });
    }
    const first = new Redis.Cluster([port], { lazyConnect: true });
    await using(first.duplicate(), async (cluster) =>
      assert.strictEqual(await cluster.get(key('dup')), '1'),
    );
    first.disconnect();
  });

  it('refuses commands before ready with enableOfflineQueue: false', async () => {
    await using(
      new Redis.Cluster(seeds('cluster'), { enableOfflineQueue: false }),
      async (cluster) => {
        assert.strictEqual(
          (await rejection(cluster.get('x'))).message,
          "Cluster isn't ready and enableOfflineQueue options is false",
        );
        await until(() => cluster.status === 'ready');
        await sleep(0);
        assert.strictEqual(await cluster.set(key('oq'), 1), 'OK');
      },
    );
  });
});

describe('a cluster that goes away', () => {
  it('is waited for, with the events of ioredis, and found again', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tendon-node-'));
    const bus = ['--cluster-port', String(await freePort()), '--dir', folder];
    const settings = ['--cluster-enabled', 'yes', ...bus];
    const server = await startRedis(0, ...settings);
    await using(new Redis({ port: server.port }), async (node) => {
      await node.cluster('ADDSLOTSRANGE', 0, 16383);
      await until(async () => /cluster_state:ok/.test(await node.cluster('INFO')), 'cluster state');
    });
    const asked = [];
    /* A command is given up after 60 attempts, and a busy machine takes long to start a server. */
    const clusterRetryStrategy = (times) => asked.push(times) && 250;
    const nodes = [{ host: '127.0.0.1', port: server.port }];
    await using(new Redis.Cluster(nodes, { clusterRetryStrategy }), async (cluster) => {
      assert.strictEqual(await cluster.set('key', 'before'), 'OK');
      const events = record(cluster);
      await server.stop();
      await until(() => asked.length >= 3, 'three attempts');
      assert.deepStrictEqual(asked.slice(0, 3), [1, 2, 3]);
      const waiting = cluster.set('key', 'after');
      const back = await startRedis(server.port, ...settings);
      assert.strictEqual(await waiting, 'OK');
      await until(() => cluster.status === 'ready');
      assert.strictEqual(await cluster.get('key'), 'after');
      const names = events.names();
      assert.deepStrictEqual(names.slice(0, 4), ['error', 'close', 'reconnecting', 'connecting']);
      assert.deepStrictEqual(names.slice(-3), ['connecting', 'connect', 'ready']);
      await back.stop();
    });
    fs.rmSync(folder, { recursive: true });
  });
});

/** GET commands the replicas have executed. */
async function readsOfReplicas(cluster) {
  const texts = await Promise.all(cluster.nodes('slave').map((node) => node.info('commandstats')));
  return texts.reduce(
    (sum, text) => sum + Number((/cmdstat_get:calls=(\d+)/.exec(text) || [0, 0])[1]),
    0,
  );
}
