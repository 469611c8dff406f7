'use strict';
/** A worker thread with a client of its own: checks its values, then ends or is terminated. */

const { parentPort, workerData } = require('node:worker_threads');
const Redis = require('../../lib');

const { options, name, count, leaveOpen } = workerData;

async function main() {
  const redis = new Redis(options);
  const keys = Array.from({ length: count }, (_, i) => `${name}:${i}`);
  await Promise.all(keys.map((key, i) => redis.set(key, `${name}=${i}`, 'EX', 60)));
  const values = await Promise.all(keys.map((key) => redis.get(key)));
  const wrong = values.filter((value, i) => value !== `${name}=${i}`).length;
  if (leaveOpen) setInterval(() => redis.get(keys[0]).catch(() => {}), 1);
  parentPort.postMessage({ wrong });
  if (!leaveOpen) await redis.quit();
}

main();
