'use strict';
/** Tracing channels under the names of ioredis. */

const assert = require('node:assert');
const diagnostics = require('node:diagnostics_channel');
const { describe, it } = require('node:test');
const { Redis, at, key, rejection, using, servers } = require('./support');

/** Runs `body` and gives what the channel told: [kind, context]. */
async function told(name, body) {
  const events = [];
  const handlers = {};
  for (const kind of ['start', 'end', 'asyncStart', 'asyncEnd', 'error'])
    handlers[kind] = (context) => events.push([kind, context]);
  const channel = diagnostics.tracingChannel(name);
  channel.subscribe(handlers);
  try {
    await body();
  } finally {
    channel.unsubscribe(handlers);
  }
  return events;
}

const kinds = (events) => events.map(([kind]) => kind);

describe('tracing', { skip: typeof diagnostics.tracingChannel !== 'function' }, () => {
  it('tells of commands, with keys and without values', async () => {
    await using(new Redis(at('standalone')), async (redis) => {
      const events = await told('ioredis:command', () => redis.set(key('traced'), 'secret'));
      assert.deepStrictEqual(kinds(events), ['start', 'end', 'asyncStart', 'asyncEnd']);
      const [, context] = events[0];
      assert.strictEqual(context.command, 'set');
      assert.deepStrictEqual(context.args, [key('traced'), '?']);
      assert.strictEqual(context.database, 0);
      assert.strictEqual(context.serverPort, servers.standalone.port);
      const failed = await told('ioredis:command', () => rejection(redis.call('NOSUCH', 'secret')));
      assert.ok(kinds(failed).includes('error'));
      assert.doesNotMatch(JSON.stringify(failed[0][1].args), /secret/);
    });
  });

  it('tells of transactions and of connecting', async () => {
    await using(new Redis(at('standalone', { lazyConnect: true })), async (redis) => {
      const connecting = await told('ioredis:connect', () => redis.connect());
      assert.strictEqual(connecting[0][1].connectionEpoch, 1);
      const batch = await told('ioredis:batch', () => redis.multi().set(key('t'), 1).ping().exec());
      assert.strictEqual(batch[0][1].batchSize, 2);
      assert.strictEqual(batch[0][1].batchMode, 'MULTI');
    });
  });
});
