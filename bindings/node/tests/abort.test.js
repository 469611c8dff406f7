'use strict';
/**
 * AbortSignals: what an aborted command says, that it says it once, and that its reply reaches
 * nobody else.
 */

const assert = require('node:assert');
const { describe, it } = require('node:test');
const { getEventListeners } = require('node:events');
const {
  Redis,
  at,
  freePort,
  held,
  key,
  rejection,
  servers,
  startFake,
  until,
  using,
} = require('./support');

function assertAborted(error, executed, reason) {
  assert.ok(error instanceof Redis.TendonError, `${error.name}: ${error.message}`);
  assert.deepStrictEqual(
    { name: error.name, code: error.code, status: error.status, executed: error.executed },
    { name: 'AbortError', code: 'ABORT_ERR', status: 'CANCELLED', executed },
  );
  if (reason !== undefined) assert.strictEqual(error.cause, reason);
}

describe('withAbortSignal()', () => {
  it('ends a command the server holds, and leaves the client working', async () => {
    const connectionName = key('holds');
    await using(new Redis(at('standalone', { connectionName })), async (redis) => {
      const controller = new AbortController();
      const reason = new Error('enough');
      const pending = redis.withAbortSignal(controller.signal).blpop(key('nothing'), 0);
      const rejected = rejection(pending);
      await held(connectionName, 'blpop');
      controller.abort(reason);
      const error = await rejected;
      assertAborted(error, 'unknown', reason);
      assert.deepStrictEqual(error.command, { name: 'blpop', args: [key('nothing'), '0'] });
      assert.strictEqual(await redis.echo('after'), 'after');
    });
  });

  it('sends nothing when it has aborted before', async () => {
    await using(new Redis(at('standalone')), async (redis) => {
      const aborted = redis.withAbortSignal(AbortSignal.abort('early'));
      assertAborted(await rejection(aborted.set(key('early'), '1')), 'no', 'early');
      assertAborted(await rejection(aborted.getBuffer(key('early'))), 'no');
      assert.strictEqual(await redis.exists(key('early')), 0);
    });
  });

  it('ends a command of the same tick, before it has left', async () => {
    await using(new Redis(at('standalone')), async (redis) => {
      await redis.ping();
      const controller = new AbortController();
      const pending = redis.withAbortSignal(controller.signal).echo('a');
      controller.abort();
      const error = await rejection(pending);
      assert.strictEqual(error.name, 'AbortError');
      assert.strictEqual(await redis.echo('b'), 'b');
    });
  });

  it('ends a command that waits for a connection: not executed', async () => {
    const options = { port: await freePort(), maxRetriesPerRequest: null };
    await using(new Redis(options), async (redis) => {
      const signal = AbortSignal.timeout(100);
      const error = await rejection(redis.withAbortSignal(signal).incr('x'));
      assertAborted(error, 'no', signal.reason);
      assert.strictEqual(error.cause.name, 'TimeoutError');
    });
  });

  it('drops the late reply of what it ended', async () => {
    const asked = [];
    const server = await startFake((socket, text, count) => asked.push({ socket, text, count }));
    const answer = () => {
      for (const { socket, text } of asked.splice(0))
        for (const [word] of text.matchAll(/first|second/g))
          socket.write(`$${word.length}\r\n${word}\r\n`);
    };
    const options = { port: server.port };
    await using(new Redis(options), async (redis) => {
      const controller = new AbortController();
      const first = redis.withAbortSignal(controller.signal).get('first');
      await until(() => asked.length > 0, 'the command at the server');
      controller.abort();
      assertAborted(await rejection(first), 'unknown');
      const second = redis.get('second');
      await until(() => asked.length > 1, 'the second command at the server');
      answer();
      assert.strictEqual(await second, 'second');
    });
    server.close();
  });

  it('keeps one listener per signal while commands are under way, and none after', async () => {
    await using(new Redis(at('standalone')), async (redis) => {
      await redis.ping();
      const { signal } = new AbortController();
      const all = Array.from({ length: 100 }, () => redis.withAbortSignal(signal).ping());
      assert.strictEqual(getEventListeners(signal, 'abort').length, 1);
      await Promise.all(all);
      assert.strictEqual(getEventListeners(signal, 'abort').length, 0);
      assert.strictEqual(await redis.withAbortSignal(signal).ping(), 'PONG');
      assert.strictEqual(getEventListeners(signal, 'abort').length, 0);
    });
  });

  it('tells a callback once', async () => {
    const connectionName = key('told');
    await using(new Redis(at('standalone', { connectionName })), async (redis) => {
      const controller = new AbortController();
      const told = [];
      const view = redis.withAbortSignal(controller.signal);
      view.blpop(key('nothing'), 0, (error) => told.push(error));
      await held(connectionName, 'blpop');
      controller.abort();
      await until(() => told.length > 0, 'the callback');
      await redis.ping();
      assert.strictEqual(told.length, 1);
      assertAborted(told[0], 'unknown');
    });
  });

  it('ends what is left of a pipeline, and a transaction as a whole', async () => {
    let asked = false;
    const server = await startFake(() => {
      asked = true;
    });
    const options = { port: server.port };
    await using(new Redis(options), async (redis) => {
      for (const transaction of [false, true]) {
        asked = false;
        const controller = new AbortController();
        const view = redis.withAbortSignal(controller.signal);
        const gathered = transaction ? view.multi() : view.pipeline();
        const pending = gathered.set('held', 1).incr('held').exec();
        await until(() => asked, 'the commands at the server');
        controller.abort();
        if (transaction) assertAborted(await rejection(pending), 'unknown');
        else for (const [error] of await pending) assertAborted(error, 'unknown');
      }
    });
    server.close();
  });

  it('works in a cluster', async () => {
    const nodes = servers.cluster.nodes.map(({ host, port }) => ({ host, port }));
    await using(new Redis.Cluster(nodes), async (cluster) => {
      const controller = new AbortController();
      const view = cluster.withAbortSignal(controller.signal);
      const all = Array.from({ length: 20 }, (_, i) => view.blpop(key(`nothing${i}`), 0));
      assert.strictEqual(await view.set(key('there'), 'x', 'EX', 60), 'OK');
      controller.abort();
      for (const pending of all) assert.strictEqual((await rejection(pending)).name, 'AbortError');
      assert.strictEqual(await cluster.get(key('there')), 'x');
    });
  });

  it('refuses what is no signal', async () => {
    await using(new Redis(at('standalone')), async (redis) => {
      for (const wrong of [undefined, null, {}, new AbortController()])
        assert.throws(() => redis.withAbortSignal(wrong), { code: 'ERR_INVALID_ARG_TYPE' });
    });
  });
});

describe('an abort storm', () => {
  const COMMANDS = 20000;
  const CALLERS = 200;

  it('mixes up no reply and loses no outcome', async () => {
    await using(new Redis(at('standalone')), async (redis) => {
      const counter = key('storm');
      const seen = new Set();
      const count = { sure: 0, unknown: 0, aborted: 0, other: 0 };
      let next = 0;

      const one = async (i) => {
        const controller = new AbortController();
        const view = i % 3 === 0 ? redis : redis.withAbortSignal(controller.signal);
        const incr = i % 2 === 0;
        const pending = incr ? view.incr(counter) : view.echo(`value ${i}`);
        if (i % 7 === 0) controller.abort();
        else if (i % 5 === 0) setImmediate(() => controller.abort());
        else if (i % 11 === 0) Promise.resolve().then(() => controller.abort());
        try {
          const value = await pending;
          if (!incr) return assert.strictEqual(value, `value ${i}`);
          assert.ok(!seen.has(value), `INCR gave ${value} twice`);
          seen.add(value);
          count.sure++;
        } catch (error) {
          if (error.name !== 'AbortError') throw error;
          count.aborted++;
          if (incr && error.executed === 'yes') count.sure++;
          if (incr && error.executed === 'unknown') count.unknown++;
        }
      };
      const caller = async () => {
        while (next < COMMANDS) await one(next++);
      };
      await Promise.all(Array.from({ length: CALLERS }, caller));
      const total = Number(await redis.get(counter));
      await redis.del(counter);
      assert.ok(count.aborted > COMMANDS / 20, `${count.aborted} aborted`);
      assert.ok(total >= count.sure, `${total} executed, ${count.sure} known to be`);
      assert.ok(total <= count.sure + count.unknown, `${total} executed: ${JSON.stringify(count)}`);
      assert.strictEqual(redis.stats().pending, 0);
    });
  });
});
