'use strict';
/** A worker thread that always has commands under way, until somebody ends it. */

const { parentPort, workerData } = require('node:worker_threads');
const Redis = require('../../lib');

const { port, end } = workerData;

const redis = new Redis(port);
const other = new Redis(port);
let wrong = 0;

async function echoForEver(number) {
  for (let i = 0; ; i++) {
    const text = `${number}:${i}`;
    if ((await redis.echo(text)) !== text) wrong++;
  }
}

for (let i = 0; i < 100; i++) echoForEver(i);
for (let i = 0; i < 10; i++) other.blpop('nothing', 0);
other.ping().then(() => {
  parentPort.postMessage({ wrong });
  if (end === 'exit') process.exit(0);
  if (end === 'throw') throw new Error('mine');
});
