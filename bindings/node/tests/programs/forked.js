'use strict';
/** A worker of Node's module cluster: a client of its own, then the end by itself. */

const cluster = require('node:cluster');
const Redis = require('../../lib');

async function main() {
  const redis = new Redis(JSON.parse(process.env.OPTIONS));
  const values = await Promise.all(Array.from({ length: 1000 }, (_, i) => redis.echo(String(i))));
  const wrong = values.filter((value, i) => value !== String(i)).length;
  await redis.quit();
  if (wrong) process.exitCode = 1;
  cluster.worker.disconnect();
}

main();
