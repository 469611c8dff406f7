'use strict';
/** Where the keys of a command are: for option keyPrefix, and to know a command's slot. */

const { KEYS } = require('./generated/commands');

/** Position of `word` on the wire, from `from` on, or backwards when that is negative; or -1. */
function findWord(words, word, from) {
  const step = from < 0 ? -1 : 1;
  for (let i = from < 0 ? words.length + from : from; i > 0 && i < words.length; i += step) {
    if (String(words[i]).toUpperCase() === word) return i;
  }
  return -1;
}

function* inRange(words, begin, last, step, limit) {
  let end = begin + last;
  if (last < 0) {
    end = words.length + last;
    if (limit > 1) end = begin + Math.trunc((words.length - begin) / limit) - 1;
  }
  for (let i = begin; i <= end && i < words.length; i += step) yield i;
}

function* counted(words, begin, position, first, step) {
  const count = Number(words[begin + position]);
  for (let i = 0; i < count; i++) yield begin + first + i * step;
}

function positionsOfRule(words, [kind, ...rule]) {
  if (kind === 'range') return inRange(words, ...rule);
  if (kind === 'count') return counted(words, ...rule);
  const [word, from, find, ...rest] = rule;
  const at = findWord(words, word, from);
  if (at < 0) return [];
  return find === 'range' ? inRange(words, at + 1, ...rest) : counted(words, at + 1, ...rest);
}

/* SORT names more keys than servers say: patterns after BY and GET, and where it stores. */
function* ofSort(words) {
  yield 1;
  for (let i = 2; i + 1 < words.length; i++) {
    const option = String(words[i]).toUpperCase();
    const isPattern = (option === 'BY' || option === 'GET') && String(words[i + 1]).includes('*');
    if (isPattern || option === 'STORE') yield ++i;
  }
}

/** Rules of a command by its lower-case name and first argument, or undefined: it has no keys. */
function rulesOf(name, first) {
  if (Object.hasOwn(KEYS, name)) return KEYS[name];
  const pair = `${name}|${String(first).toLowerCase()}`;
  return Object.hasOwn(KEYS, pair) ? KEYS[pair] : undefined;
}

/** Positions of the keys among the arguments (without the name). */
function keyPositions(name, args) {
  const words = [name, ...args];
  if (name === 'sort' || name === 'sort_ro') return [...ofSort(words)].map((i) => i - 1);
  const rules = rulesOf(name, args[0]);
  if (rules === undefined) return [];
  const found = new Set();
  for (const rule of rules) for (const i of positionsOfRule(words, rule)) found.add(i - 1);
  return [...found].filter((i) => i >= 0 && i < args.length);
}

/** A copy of `args` in which every key begins with `prefix`. */
function withPrefix(name, args, prefix) {
  const result = args.slice();
  for (const i of keyPositions(name, args)) {
    const key = args[i];
    result[i] =
      typeof key === 'string' && typeof prefix === 'string'
        ? prefix + key
        : Buffer.concat([Buffer.from(prefix), Buffer.from(key)]);
  }
  return result;
}

module.exports = { keyPositions, withPrefix };
