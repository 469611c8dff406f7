#!/usr/bin/env node
'use strict';
/**
 * What a generated method costs beside the generic call: processor time of this process per GET,
 * two thousand at once, by turns. Needs the environment of `./dev env`.
 */

const fs = require('node:fs');
const Redis = require('../lib');

const AT_ONCE = 2000;
const ROUNDS = 300;
const WARM_UP = 30;

async function costOf(send) {
  const before = process.cpuUsage();
  await Promise.all(Array.from({ length: AT_ONCE }, send));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / AT_ONCE;
}

async function main() {
  const { standalone } = JSON.parse(fs.readFileSync(process.env.TENDON_SERVERS));
  const redis = new Redis(standalone.port, standalone.host);
  await redis.set('{wrapper}', 'x'.repeat(100), 'EX', 600);
  const ways = {
    "redis.get('k')": () => redis.get('{wrapper}'),
    "redis.call('GET', 'k')": () => redis.call('GET', '{wrapper}'),
  };
  const costs = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, send] of Object.entries(ways)) {
      const cost = await costOf(send);
      if (round >= WARM_UP) costs[name].push(cost);
    }
  }
  for (const [name, all] of Object.entries(costs)) {
    const median = all.sort((a, b) => a - b)[all.length >> 1];
    console.log(`${name.padEnd(24)} ${median.toFixed(3)} us of processor time`);
  }
  await redis.quit();
}

main();
