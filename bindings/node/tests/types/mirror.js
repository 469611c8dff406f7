'use strict';
/**
 * Whether a program written for ioredis compiles with only its import changed: writes a TypeScript
 * program with one function per overload that ioredis declares for its commands, which takes the
 * same arguments, calls ours with them and must give the same result. Overloads that are no mistake
 * to be without are named below.
 */

const fs = require('node:fs');
const path = require('node:path');

const anyOf = (...patterns) => new RegExp(patterns.join('|'));

/* Redis 8 only: arrays, vector sets, and options of commands known here from older servers. */
const NEWER = anyOf(
  String.raw`\.(ar[a-z]+|v[a-z]+|himport|increx|xnack)(Buffer)?\(`,
  String.raw`\.(sdiffcard|sunioncard|lmovem|blmovem)(Buffer)?\(`,
  "'(IFNE|IFEQ|IFDEQ|IFDNE|KEEPREF|DELREF|ACKED|NOVALUES)'",
);
/* Refused at run time: the core does it itself, or a client is no replica. */
const REFUSED = /\.(asking|psync|sync|replconf|readonly|readwrite)\(/;
/* Declared by ioredis as something the server never answers; ours says what it does answer. */
const CORRECTED = anyOf(
  String.raw`\.(bgsave|time)\(`,
  String.raw`\[(object|map): .*\.msetnx\(`,
  "subcommand: '(COUNT|NUMPAT|GETUSER|TRACKINGINFO)'",
  "startSlotRange|'BUMPED'",
);

const HEAD = `import { Redis, RedisKey, RedisValue, Callback } from 'tendon';
type Context = { type: 'default'; mapping: 'resp2' };
type Resp2<T> = { readonly __resp2: T };
type Resp3<T> = { readonly __resp3: T };
type Resp3Double<T extends string | Buffer = string> = number;
type Resp3Map<T> = Record<string, T>;
type RespShape<A extends Resp2<unknown>, B extends Resp3<unknown>, C> = A['__resp2'];
declare const redis: Redis;
`;

/** Parameter lists of one overload: an optional callback is there or not. */
function parameterLists(text) {
  const list = text.startsWith('...args: ') ? text.slice('...args: '.length) : `[${text}]`;
  const found = /,? ?callback\?: (Callback<.*>)\]$/.exec(list);
  if (!found) return [list];
  const before = list.slice(0, found.index);
  return [`${before}]`, `${before}${before === '[' ? '' : ', '}callback: ${found[1]}]`];
}

/** The program, of the declarations of the installed ioredis. */
function program(declarations) {
  const lines = [HEAD];
  for (const line of declarations.split('\n')) {
    const found = /^ {4}(\w+)\((.*)\): Result<(.*), Context>;$/.exec(line);
    if (!found) continue;
    const [, name, parameters, result] = found;
    const call = `redis.${name}(...args)`;
    for (const list of parameterLists(parameters)) {
      const text = `export const f${lines.length} = (...args: ${list}): Promise<${result}> =>`;
      if (![NEWER, REFUSED, CORRECTED].some((pattern) => pattern.test(text + call)))
        lines.push(`${text} ${call};`);
    }
  }
  return lines.join('\n');
}

function write(target) {
  const entry = require.resolve('ioredis');
  const source = path.join(path.dirname(entry), 'utils', 'RedisCommander.d.ts');
  const text = program(fs.readFileSync(source, 'utf8'));
  fs.writeFileSync(target, text);
  return text.split('\n').length;
}

module.exports = { write };
