'use strict';
/**
 * The article's program "Using ioredis (Cluster Mode Enabled)": only the import and the host name
 * are changed. Run it as `node article_cluster.js cluster` or `node article_cluster.js
 * tls_cluster`.
 */

const Redis = require('tendon');
const assert = require('node:assert');
const { host, port, tls } = require('./endpoint')('cluster');

// Cluster mode connection
const cluster = new Redis.Cluster([
  {
    host,
    port
  }
], {
  tls, // Uncomment for TLS
  redisOptions: {
    connectTimeout: 5000,
  },
  clusterRetryStrategy: (times) => Math.min(times * 200, 3000),
  scaleReads: 'slave', // Read from replicas for read-heavy workloads
});

cluster.on('connect', () => console.log('Cluster connected'));
cluster.on('error', (err) => console.error('Cluster error:', err));

/** A replica follows its primary, so what was just written may be there a moment later. */
async function readSoon(key) {
  for (let i = 0; i < 200; i++) {
    const value = await cluster.get(key);
    if (value !== null) return value;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return null;
}

async function main() {
  const names = Array.from({ length: 20 }, (_, i) => `article:${process.pid}:${i}`);
  await Promise.all(names.map((name, i) => cluster.set(name, `value ${i}`, 'EX', 300)));
  const values = await Promise.all(names.map(readSoon));
  assert.deepStrictEqual(values, names.map((_, i) => `value ${i}`));
  console.log(`${names.length} keys written to primaries, read from replicas:`, values.join(', '));
  const [primaries, replicas] = ['master', 'slave'].map((role) => cluster.nodes(role).length);
  console.log(`nodes: ${primaries} primaries, ${replicas} replicas`);
  await cluster.quit();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
