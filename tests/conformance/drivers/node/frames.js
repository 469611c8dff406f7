'use strict';
/** Frames and values on the wire of the conformance machine, as ../../PROTOCOL.md has them. */

const LF = 10;

/** The frames that arrive on a stream, each an array of Buffers. */
async function* frames(stream) {
  let unread = Buffer.alloc(0);
  let words = [];
  let missing = -1; // words of the frame that begins there; -1 before their number is known
  for await (const chunk of stream) {
    unread = unread.length === 0 ? chunk : Buffer.concat([unread, chunk]);
    let at = 0;
    for (let end; (end = unread.indexOf(LF, at)) >= 0; ) {
      const number = numberIn(unread.subarray(at, end));
      if (missing < 0) {
        missing = number;
        at = end + 1;
      } else {
        if (unread.length < end + number + 2) break;
        words.push(unread.subarray(end + 1, end + 1 + number));
        missing--;
        at = end + number + 2;
      }
      if (missing === 0) {
        yield words;
        words = [];
        missing = -1;
      }
    }
    unread = unread.subarray(at);
  }
}

function numberIn(line) {
  const text = line.toString('latin1');
  if (!/^\d+$/.test(text)) throw new Error(`a number was expected, not ${text.slice(0, 60)}`);
  return Number(text);
}

/** One frame of strings and Buffers. */
function frame(words) {
  const parts = [Buffer.from(`${words.length}\n`)];
  for (const word of words) {
    const bytes = Buffer.from(word);
    parts.push(Buffer.from(`${bytes.length}\n`), bytes, Buffer.from('\n'));
  }
  return Buffer.concat(parts);
}

/** The tokens of a value. JavaScript does not tell 1.0 from 1: both are integers here. */
function tokens(value) {
  if (value === null) return ['_'];
  if (Buffer.isBuffer(value)) return [Buffer.concat([Buffer.from('$'), value])];
  if (Array.isArray(value)) return [`*${value.length}`, ...value.flatMap(tokens)];
  if (value instanceof Error)
    return ['!', value.name, codeOf(value), value.executed ?? '', value.message];
  if (value instanceof Map) return [`%${value.size}`, ...[...value].flat().flatMap(tokens)];
  if (value instanceof Set) return [`~${value.size}`, ...[...value].flatMap(tokens)];
  switch (typeof value) {
    case 'string':
      return [`$${value}`];
    case 'boolean':
      return [value ? 'T' : 'F'];
    case 'bigint':
      return [`:${value}`];
    case 'number':
      return [Number.isInteger(value) ? `:${BigInt(value)}` : `,${floatText(value)}`];
    case 'object':
      return tokens(new Map(Object.entries(value)));
    default:
      return [`?${typeof value}`];
  }
}

function floatText(value) {
  if (Number.isNaN(value)) return 'nan';
  return Number.isFinite(value) ? String(value) : value > 0 ? 'inf' : '-inf';
}

/** The first word of what the server said; the message of a ReplyError is its line. */
function codeOf(error) {
  return error.name === 'ReplyError' ? error.message.split(' ', 1)[0] : '';
}

module.exports = { frames, frame, tokens };
