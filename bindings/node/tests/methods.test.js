'use strict';
/**
 * Every generated method once as text and once as Buffers, by RESP2 and RESP3, on one server and on
 * a cluster: what comes back must have the shape its declaration says. The calls are generated from
 * spec/surface/node.txt; a failure names the method.
 */

const assert = require('node:assert');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { createHash } = require('node:crypto');
const { describe, it, before, after } = require('node:test');
const { Redis, servers, at, startRedis, until } = require('./support');
const { CALLS, FIXTURE, FIXTURE_KEYS } = require('./generated/calls');
const { fits } = require('./shapes');

const FUNCTIONS =
  '#!lua name=tendon_node\n' +
  "redis.register_function{function_name='tendon_node', callback=function(keys, args) " +
  "return {keys[1], 1} end, flags={'no-writes'}}";
const OTHER_FUNCTIONS =
  '#!lua name=tendon_node_other\n' +
  "redis.register_function('tendon_node_other', function() return 1 end)";
const SCRIPT = "return {KEYS[1], 1, 'text'}";

/** What the words in capitals of the table stand for, on this server. */
async function wordsOf(redis) {
  await withFunctions(redis);
  await withScript(redis);
  return {
    DUMPED: await redis.dumpBuffer('{t}string'),
    FUNCTION: FUNCTIONS,
    FUNCTIONS: await redis.functionBuffer('DUMP'),
    LOADED: createHash('sha1').update(SCRIPT).digest('hex'),
    NODEID: 'f'.repeat(40),
  };
}

async function makeFixture(redis) {
  const pipeline = redis.pipeline();
  pipeline.del(...FIXTURE_KEYS);
  for (const [name, ...args] of FIXTURE) pipeline.call(name, ...args);
  const outcomes = await pipeline.exec();
  for (const [error] of outcomes) assert.ifError(error);
}

/* Functions and scripts are of one node each. */
function everywhere(redis, ...command) {
  const nodes = redis.isCluster ? redis.nodes('master') : [redis];
  return Promise.all(nodes.map((node) => node.call(...command)));
}

/* Some commands need something to be there that no data is. */
const withFunctions = (redis) => everywhere(redis, 'FUNCTION', 'LOAD', 'REPLACE', FUNCTIONS);
const withScript = (redis) => everywhere(redis, 'SCRIPT', 'LOAD', SCRIPT);
const BEFORE = {
  'function DELETE': (redis) => everywhere(redis, 'FUNCTION', 'LOAD', 'REPLACE', OTHER_FUNCTIONS),
  'script EXISTS': withScript,
  'script SHOW': withScript,
  evalsha: withScript,
  evalsha_ro: withScript,
  fcall: withFunctions,
  fcall_ro: withFunctions,
};

const nameOf = ({ method, args, command }) =>
  command.includes('|') ? `${method} ${args[0]}` : method;

/** Errors that are right for a method here: what the table says, or that the server is too old. */
function expectedErrors(call, env) {
  const patterns = [];
  if (call.error) patterns.push(new RegExp(`^${call.error}`));
  if (call.newer) patterns.push(/unknown (sub)?command|syntax error|wrong number of arguments/i);
  if (!env.isCluster) patterns.push(/cluster support disabled/);
  if (env.isCluster) patterns.push(/in cluster mode|Multi-key.*cluster/i);
  return patterns;
}

async function run(redis, call, env, suffix) {
  const name = nameOf(call);
  const made = env.isChanged ? makeFixture(redis) : Promise.resolve();
  env.isChanged = call.changes;
  if (BEFORE[name]) await BEFORE[name](redis);
  /* Blocking commands have a connection of their own, and would not come after the fixture. */
  if (call.blocks) await made;
  const args = call.args.map((word) => (Object.hasOwn(env.words, word) ? env.words[word] : word));
  const shown = `${call.method}${suffix}(${call.args.join(', ')})`;
  let value;
  try {
    [value] = await Promise.all([redis[call.method + suffix](...args), made]);
  } catch (error) {
    if (expectedErrors(call, env).some((pattern) => pattern.test(error.message))) return;
    throw new Error(`${shown}: ${error.message}`, { cause: error });
  }
  assert.ok(!call.error, `${shown} gave ${JSON.stringify(value)} instead of ${call.error}`);
  const wrong = fits(value, call.shape, { isBuffer: suffix !== '', isResp3: env.isResp3 });
  assert.ok(!wrong, `${shown}: ${wrong} in ${JSON.stringify(value)}`);
}

async function runAll(redis, calls, env) {
  const failures = [];
  for (const call of calls) {
    for (const suffix of ['', 'Buffer']) {
      await run(redis, call, env, suffix).catch((error) => failures.push(error));
    }
  }
  assert.deepStrictEqual(
    failures.map(({ message }) => message),
    [],
  );
}

const ENVIRONMENTS = [
  { title: 'one server, RESP2', protocol: 2 },
  { title: 'one server, RESP3', protocol: 3 },
  { title: 'one server, replyMapping resp3', protocol: 3, isResp3: true },
  { title: 'a cluster, RESP2', protocol: 2, isCluster: true },
  { title: 'a cluster, RESP3', protocol: 3, isCluster: true },
];

function connect({ protocol, isCluster, isResp3 }) {
  const options = { protocol, ...(isResp3 && { replyMapping: 'resp3' }) };
  if (!isCluster) return new Redis(at('standalone', options));
  return new Redis.Cluster(
    servers.cluster.nodes.map(({ host, port }) => ({ host, port })),
    { redisOptions: options },
  );
}

for (const env of ENVIRONMENTS) {
  describe(`every method on ${env.title}`, () => {
    let redis;
    before(async () => {
      redis = connect(env);
      await makeFixture(redis);
      env.words = await wordsOf(redis);
    });
    after(async () => {
      await redis.del(...FIXTURE_KEYS);
      await redis.quit();
    });
    const shared = CALLS.filter(({ alone }) => !alone);
    for (const section of new Set(shared.map((call) => call.section))) {
      it(section, () =>
        runAll(
          redis,
          shared.filter((call) => call.section === section),
          env,
        ),
      );
    }
  });
}

describe('methods that need a server of their own', () => {
  for (const isCluster of [false, true]) {
    it(isCluster ? 'in cluster mode' : 'by itself', async () => {
      const failures = [];
      for (const call of CALLS.filter(({ alone }) => alone)) {
        if (call.command.startsWith('CLUSTER|') !== isCluster) continue;
        for (const suffix of ['', 'Buffer']) {
          await alone(call, suffix, isCluster).catch((error) => failures.push(error.message));
        }
      }
      assert.deepStrictEqual(failures, []);
    });
  }
});

/* A new one for each, because most leave a server that is no good for another call. */
async function alone(call, suffix, isCluster) {
  const place = fs.mkdtempSync(path.join(os.tmpdir(), 'tendon-node-'));
  const mode = isCluster ? ['--cluster-enabled', 'yes'] : [];
  const server = await startRedis(undefined, '--dir', place, ...mode);
  const redis = new Redis({ port: server.port, maxRetriesPerRequest: 1, retryStrategy: () => 20 });
  redis.on('error', () => {});
  try {
    const words = { DUMPED: '', NODEID: 'f'.repeat(40) };
    const args = call.args.map((word) => words[word] ?? word);
    if (call.command === 'CLUSTER|SETSLOT') await redis.cluster('ADDSLOTS', 1);
    const value = await redis[call.method + suffix](...args).catch((error) => error);
    const shown = `${call.method}${suffix}(${args.join(', ')})`;
    if (call.method === 'shutdown') {
      assert.ok(value instanceof Redis.DisconnectedError, `${shown}: ${value}`);
    } else if (call.error) {
      assert.match(String(value.message), new RegExp(`^${call.error}`), shown);
    } else {
      assert.ok(!(value instanceof Error), `${shown}: ${value}`);
      const wrong = fits(value, call.shape, { isBuffer: suffix !== '' });
      assert.ok(!wrong, `${shown}: ${wrong}`);
    }
  } finally {
    redis.disconnect();
    await until(() => redis.status === 'end', 'end');
    await server.stop();
    fs.rmSync(place, { recursive: true });
  }
}
