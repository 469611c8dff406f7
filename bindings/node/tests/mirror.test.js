'use strict';
/** Every public name of ioredis is here, or left out with a reason. */

const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const { Redis } = require('./support');

const home = path.join(__dirname, '..');
const linesOf = (name) =>
  fs
    .readFileSync(path.join(home, '../../spec/surface', name), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));

const declarations = [
  'index.d.ts',
  ...fs.readdirSync(path.join(home, 'types')).map((name) => `types/${name}`),
]
  .map((name) => fs.readFileSync(path.join(home, name), 'utf8'))
  .join('\n');

const redis = new Redis({ lazyConnect: true });
const OWNERS = {
  Redis: redis,
  Cluster: new Redis.Cluster([7000], { lazyConnect: true }),
  Pipeline: redis.pipeline(),
  module: Redis,
};

function isThere(name) {
  const [owner, member] = [name.slice(0, name.indexOf('.')), name.slice(name.indexOf('.') + 1)];
  if (owner === 'type') return new RegExp(`\\b${member}\\b`).test(declarations);
  return member in OWNERS[owner];
}

/** Whether a command is there only to be refused. */
async function isRefused(name) {
  const [owner, member] = name.split('.');
  if (owner === 'Pipeline') return true;
  const error = await OWNERS[owner][member]().catch((refusal) => refusal);
  return /is not supported/.test(error.message);
}

describe('the surface of ioredis', () => {
  const mirrored = linesOf('mirror-node.txt');
  const reasons = new Map(linesOf('missing-node.txt').map((line) => line.split(/\s+(.*)/s)));

  it('is there, name by name, but for what has a reason', () => {
    assert.ok(mirrored.length > 1000);
    assert.deepStrictEqual(
      mirrored.filter((name) => !isThere(name) && !reasons.has(name)),
      [],
    );
  });

  it('has no reason for what is there, or no name of ioredis', async () => {
    for (const [name, reason] of reasons) {
      assert.ok(mirrored.includes(name), `${name} is no name of ioredis`);
      assert.ok(reason && reason.length > 10, `${name} has no reason`);
      if (isThere(name)) assert.ok(await isRefused(name), `${name} is there`);
    }
    redis.disconnect();
    OWNERS.Cluster.disconnect();
  });
});
