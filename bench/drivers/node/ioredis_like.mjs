// ioredis, iovalkey and tendon by the interface they share: ioredis_like.mjs words…, with
// module=NAME among them, and auto=yes for the peers' own batching.
import { createRequire } from 'node:module';
import path from 'node:path';

import { run } from './job.mjs';

const word = (name) =>
  process.argv.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
const name = word('module');
const ours = name === 'tendon';
const require = createRequire(path.join(process.env.BENCH_OUT ?? '.', 'index.js'));
const place = ours ? path.join(process.env.TENDON_ROOT, 'bindings', 'node') : name;
const loaded = require(place);
const Redis = loaded.Redis ?? loaded.default ?? loaded;
const { version } = require(`${place}/package.json`);

async function open(job) {
  const where = job.socket
    ? { path: job.socket }
    : { host: 'localhost', port: job.port, family: 4 };
  const tls = job.ca ? { tls: { ca: job.caText } } : {};
  const auto = word('auto') === 'yes' ? { enableAutoPipelining: true } : {};
  const client = new Redis({ ...where, ...tls, ...auto });
  const get = job.buffers ? 'getBuffer' : 'get';
  const mget = job.buffers ? 'mgetBuffer' : 'mget';
  await client.ping();
  return {
    get: (key) => client[get](key),
    set: (key, value) => client.set(key, value),
    mget: (keys) => client[mget](keys),
    async pipeline(keys, values) {
      const pipeline = client.pipeline();
      keys.forEach((key, at) => (values ? pipeline.set(key, values[at]) : pipeline[get](key)));
      return (await pipeline.exec()).map(([error, reply]) => error ?? reply);
    },
    close: () => client.disconnect(),
  };
}

await run(name, version, open);
