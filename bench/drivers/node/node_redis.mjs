// node-redis, the package `redis`.
import { createRequire } from 'node:module';
import path from 'node:path';

import { run } from './job.mjs';

const require = createRequire(path.join(process.env.BENCH_OUT ?? '.', 'index.js'));
const { createClient, RESP_TYPES } = require('redis');
const { version } = require('redis/package.json');

async function open(job) {
  const place = job.socket
    ? { path: job.socket }
    : { host: 'localhost', port: job.port, family: 4 };
  const tls = job.ca ? { tls: true, ca: job.caText } : {};
  const plain = createClient({ socket: { ...place, ...tls } });
  await plain.connect();
  const client = job.buffers
    ? plain.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
    : plain;
  return {
    get: (key) => client.get(key),
    set: (key, value) => client.set(key, value),
    mget: (keys) => client.mGet(keys),
    pipeline(keys, values) {
      const batch = client.multi();
      keys.forEach((key, at) => (values ? batch.set(key, values[at]) : batch.get(key)));
      return batch.execAsPipeline();
    },
    close: () => plain.destroy(),
  };
}

await run('node-redis', version, open);
