// ioredis, iovalkey and tendon by the interface they share: ioredis_like.mjs words…, with
// module=NAME among them, and auto=yes for the peers' own batching.
import { createRequire } from 'node:module';
import path from 'node:path';

import { CHANNEL } from './job.mjs';
import { run } from './work.mjs';

const word = (name) =>
  process.argv.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
const name = word('module');
const ours = name === 'tendon';
const auto = word('auto') === 'yes';
const require = createRequire(path.join(process.env.BENCH_OUT ?? '.', 'index.js'));
const place = ours ? path.join(process.env.TENDON_ROOT, 'bindings', 'node') : name;
const loaded = require(place);
const Redis = loaded.Redis ?? loaded.default ?? loaded;
const { version } = require(`${place}/package.json`);

// The TLS session to resume. tendon keeps it in the client; for the others the program does.
let session;

function optionsOf(job) {
  const where = job.socket
    ? { path: job.socket }
    : { host: 'localhost', port: job.port, family: 4 };
  const tls = job.ca ? { tls: { ca: job.caText, ...(session && { session }) } } : {};
  const soon = ours && job.resume ? { retryStrategy: () => 0 } : {};
  return { ...where, ...tls, ...soon, ...(auto && { enableAutoPipelining: true }) };
}

function make(job) {
  if (!job.cluster) return new Redis(optionsOf(job));
  return new Redis.Cluster([{ host: job.host, port: job.port }], {
    ...(auto && { enableAutoPipelining: true }),
  });
}

// Pipelines of the peers are for one slot in a cluster, and what batches by itself needs none.
const hasPipelines = (job) => (ours || !job.cluster) && !auto;

async function listen(job, heard) {
  const subscriber = make(job);
  await subscriber.subscribe(CHANNEL);
  subscriber.on('message', (channel, message) => heard(message));
}

function publish(client, messages) {
  if (auto) return Promise.all(messages.map((message) => client.publish(CHANNEL, message)));
  const pipeline = client.pipeline();
  for (const message of messages) pipeline.publish(CHANNEL, message);
  return pipeline.exec();
}

function open(job) {
  const client = make(job);
  client.on('error', () => {}); // what fails is told by its call as well
  if (job.resume && !ours) {
    client.once('connect', () => {
      client.stream.once('session', (given) => {
        session = given;
      });
    });
  }
  const get = job.buffers ? 'getBuffer' : 'get';
  const mget = job.buffers ? 'mgetBuffer' : 'mget';
  const one = (key, value) => (value === undefined ? client[get](key) : client.set(key, value));
  return {
    ping: () => client.ping(),
    get: (key) => client[get](key),
    set: (key, value) => client.set(key, value),
    mget: (keys) => client[mget](keys),
    hgetall: (key) => client.hgetall(key),
    async pipeline(keys, values) {
      if (!hasPipelines(job)) return Promise.all(keys.map((key, at) => one(key, values?.[at])));
      const pipeline = client.pipeline();
      keys.forEach((key, at) => (values ? pipeline.set(key, values[at]) : pipeline[get](key)));
      return (await pipeline.exec()).map(([error, reply]) => error ?? reply);
    },
    publish: (messages) => publish(client, messages),
    listen: (heard) => listen(job, heard),
    close: () => client.disconnect(),
    reconnect: ours ? () => client.disconnect(true) : undefined,
  };
}

await run(name, version, open);
