// valkey-glide.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

import { CHANNEL } from './job.mjs';
import { run } from './work.mjs';

const require = createRequire(path.join(process.env.BENCH_OUT ?? '.', 'index.js'));
const glide = require('@valkey/valkey-glide');
const folder = path.join(process.env.BENCH_OUT ?? '.', 'node_modules', '@valkey', 'valkey-glide');
const { version } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));

// Its own default of 250 ms is for a failover to show; a loaded machine is slower at times.
const PATIENCE_MS = 3000;

function make(job, more = {}) {
  const tls = {
    useTLS: true,
    advancedConfiguration: { tlsAdvancedConfiguration: { rootCertificates: job.caText } },
  };
  const kind = job.cluster ? glide.GlideClusterClient : glide.GlideClient;
  return kind.createClient({
    addresses: [{ host: job.ca ? 'localhost' : job.host, port: job.port }],
    ...(job.mode !== 'failover' && { requestTimeout: PATIENCE_MS }),
    ...(job.ca && tls),
    ...more,
  });
}

function subscription(heard) {
  const { Exact } = glide.GlideClientConfiguration.PubSubChannelModes;
  return {
    pubsubSubscriptions: {
      channelsAndPatterns: { [Exact]: new Set([CHANNEL]) },
      callback: ({ message }) => heard(message),
    },
  };
}

async function open(job) {
  const client = await make(job);
  const Batch = job.cluster ? glide.ClusterBatch : glide.Batch;
  return {
    ping: () => client.ping(),
    get: (key) => client.get(key),
    set: (key, value) => client.set(key, value),
    mget: (keys) => client.mget(keys),
    hgetall: (key) => client.hgetall(key),
    pipeline(keys, values) {
      const batch = new Batch(false);
      keys.forEach((key, at) => (values ? batch.set(key, values[at]) : batch.get(key)));
      return client.exec(batch, true);
    },
    publish(messages) {
      const batch = new Batch(false);
      for (const message of messages) batch.publish(message, CHANNEL);
      return client.exec(batch, true);
    },
    listen: (heard) => make(job, subscription(heard)),
    close: () => client.close(),
  };
}

glide.Logger.init('off');
await run('valkey-glide', version, open);
