// node-redis, the package `redis`.
import { createRequire } from 'node:module';
import path from 'node:path';

import { CHANNEL } from './job.mjs';
import { run } from './work.mjs';

const require = createRequire(path.join(process.env.BENCH_OUT ?? '.', 'index.js'));
const { createClient, createCluster } = require('redis');
const { version } = require('redis/package.json');

function make(job) {
  if (job.cluster) {
    return createCluster({ rootNodes: [{ socket: { host: job.host, port: job.port } }] });
  }
  const place = job.socket
    ? { path: job.socket }
    : { host: 'localhost', port: job.port, family: 4 };
  const tls = job.ca ? { tls: true, ca: job.caText } : {};
  return createClient({ socket: { ...place, ...tls } });
}

// A pipeline is for one slot in a cluster; what is called in one turn of the loop travels together.
function all(client, keys, values) {
  const one = (key, at) => (values ? client.set(key, values[at]) : client.get(key));
  return Promise.all(keys.map(one));
}

async function open(job) {
  const client = make(job);
  client.on('error', () => {}); // what fails is told by its call as well
  await client.connect();
  return {
    ping: () => (job.cluster ? client.sendCommand(undefined, true, ['PING']) : client.ping()),
    get: (key) => client.get(key),
    set: (key, value) => client.set(key, value),
    mget: (keys) => client.mGet(keys),
    hgetall: (key) => client.hGetAll(key),
    pipeline(keys, values) {
      if (job.cluster) return all(client, keys, values);
      const batch = client.multi();
      keys.forEach((key, at) => (values ? batch.set(key, values[at]) : batch.get(key)));
      return batch.execAsPipeline();
    },
    publish(messages) {
      const batch = client.multi();
      for (const message of messages) batch.publish(CHANNEL, message);
      return batch.execAsPipeline();
    },
    async listen(heard) {
      const subscriber = client.duplicate();
      await subscriber.connect();
      await subscriber.subscribe(CHANNEL, heard);
    },
    close: () => client.destroy(),
  };
}

await run('node-redis', version, open);
