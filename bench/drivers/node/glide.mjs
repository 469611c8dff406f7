// valkey-glide.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

import { run } from './job.mjs';

const require = createRequire(path.join(process.env.BENCH_OUT ?? '.', 'index.js'));
const { Batch, Decoder, GlideClient, Logger } = require('@valkey/valkey-glide');
const folder = path.join(process.env.BENCH_OUT ?? '.', 'node_modules', '@valkey', 'valkey-glide');
const { version } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));

async function open(job) {
  const client = await GlideClient.createClient({
    addresses: [{ host: job.host, port: job.port }],
    requestTimeout: 3000,
    defaultDecoder: job.buffers ? Decoder.Bytes : Decoder.String,
  });
  return {
    get: (key) => client.get(key),
    set: (key, value) => client.set(key, value),
    mget: (keys) => client.mget(keys),
    pipeline(keys, values) {
      const batch = new Batch(false);
      keys.forEach((key, at) => (values ? batch.set(key, values[at]) : batch.get(key)));
      return client.exec(batch, true);
    },
    close: () => client.close(),
  };
}

Logger.init('off');
await run('valkey-glide', version, open);
