'use strict';
/**
 * The article's program "Using ioredis": only the import and the host name are changed.
 * Run it as `node article.js standalone` or `node article.js tls`.
 */

const Redis = require('tendon');
const assert = require('node:assert');
const { host, port, tls } = require('./endpoint')('standalone');

// Single node / cluster mode disabled
const redis = new Redis({
  host,
  port,
  tls, // Uncomment for TLS
  retryStrategy: (times) => {
    // Exponential backoff with max of 3 seconds
    const delay = Math.min(times * 200, 3000);
    return delay;
  },
  maxRetriesPerRequest: 3,
  enableReadyCheck: true,
  connectTimeout: 5000,
  lazyConnect: true, // Don't connect until first command
});

// Event handlers for monitoring
redis.on('connect', () => console.log('Redis connected'));
redis.on('error', (err) => console.error('Redis error:', err));
redis.on('close', () => console.log('Redis connection closed'));

// Basic operations
async function cacheApiResponse(endpoint, data, ttlSeconds = 300) {
  const key = `api:${endpoint}`;
  await redis.set(key, JSON.stringify(data), 'EX', ttlSeconds);
}

async function getCachedApiResponse(endpoint) {
  const key = `api:${endpoint}`;
  const cached = await redis.get(key);
  return cached ? JSON.parse(cached) : null;
}

// Pipeline for batch operations
async function cacheMultipleItems(items) {
  const pipeline = redis.pipeline();
  items.forEach(item => {
    pipeline.set(`item:${item.id}`, JSON.stringify(item), 'EX', 3600);
  });
  return pipeline.exec();
}

async function main() {
  // Connect explicitly when using lazyConnect
  await redis.connect();

  await cacheApiResponse('/users/1', { name: 'Ada' });
  const cached = await getCachedApiResponse('/users/1');
  console.log('cached:', cached);
  assert.deepStrictEqual(cached, { name: 'Ada' });
  assert.strictEqual(await getCachedApiResponse('/users/none'), null);

  const results = await cacheMultipleItems([{ id: 1, price: 10 }, { id: 2, price: 20 }]);
  console.log('pipeline:', JSON.stringify(results));
  assert.deepStrictEqual(results, [[null, 'OK'], [null, 'OK']]);

  await redis.quit();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
