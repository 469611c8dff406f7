'use strict';
/** Whether a value has the shape the table of methods says; its words: tools/gen/node_table.py. */

const isText = (value, { isBuffer }) =>
  isBuffer ? Buffer.isBuffer(value) : typeof value === 'string';
const list = (inner) => ['list', inner];

/** The words that stand for something made of other words, by the mapping of replies. */
function meaning(word, { isResp3 }) {
  const member = ['tuple', ['text', false], [isResp3 ? 'number' : 'text', false]];
  const flat = list('text');
  const entries = list(['tuple', ['text', false], [list('text'), false]]);
  switch (word) {
    case 'double':
      return isResp3 ? 'number' : 'text';
    case 'pair':
      return isResp3 ? ['union', member, ['tuple']] : flat;
    case 'pairs':
      return isResp3 ? list(member) : flat;
    case 'pairs2':
      return list(member);
    case 'fields':
      return isResp3 ? list(['tuple', ['text', false], ['text', false]]) : flat;
    case 'streams':
      return isResp3 ? ['object', entries] : list(['tuple', ['text', false], [entries, false]]);
    default:
      return undefined;
  }
}

/** What is wrong with `value`, or an empty string. */
function fits(value, shape, context) {
  if (typeof shape === 'string') return fitsWord(value, shape, context);
  const [kind, ...inner] = shape;
  switch (kind) {
    case 'nullable':
      return value === null ? '' : fits(value, inner[0], context);
    case 'list':
      return all(value, () => inner[0], context);
    case 'map':
      return fitsMap(value, inner[0], context);
    case 'object':
      return fitsObject(value, inner[0], context);
    case 'union':
      return inner.some((each) => fits(value, each, context) === '') ? '' : told(value, shape);
    case 'literal':
      return String(value) === inner[0] && isText(value, context) ? '' : told(value, shape);
    case 'tuple':
      return fitsTuple(value, inner, context);
    default:
      throw new Error(`unknown shape ${kind}`);
  }
}

const told = (value, shape) => `${JSON.stringify(value)} is no ${JSON.stringify(shape)}`;

function fitsWord(value, word, context) {
  const made = meaning(word, context);
  if (made !== undefined) return fits(value, made, context);
  const known = {
    int: () => Number.isSafeInteger(value),
    number: () => typeof value === 'number',
    text: () => isText(value, context),
    ok: () => String(value) === 'OK',
    null: () => value === null,
    any: () => true,
  };
  return known[word]() ? '' : told(value, word);
}

function all(value, shapeAt, context) {
  if (!Array.isArray(value)) return told(value, 'list');
  return value.map((each, i) => fits(each, shapeAt(i), context)).find(Boolean) || '';
}

function fitsTuple(value, members, context) {
  const last = members[members.length - 1];
  const hasRest = last !== undefined && last[1];
  if (!Array.isArray(value)) return told(value, 'tuple');
  const enough = hasRest ? value.length >= members.length - 1 : value.length === members.length;
  if (!enough) return `${value.length} members instead of ${members.length}`;
  return all(value, (i) => members[Math.min(i, members.length - 1)][0], context);
}

function fitsObject(value, inner, context) {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return told(value, 'object');
  return all(Object.values(value), () => inner, context);
}

function fitsMap(value, inner, context) {
  if (context.isResp3) return fitsObject(value, inner, context);
  if (!Array.isArray(value) || value.length % 2 !== 0) return told(value, 'flat map');
  return all(value, (i) => (i % 2 === 0 ? 'text' : inner), context);
}

module.exports = { fits };
