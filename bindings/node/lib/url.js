'use strict';
/** What a string given to the constructor means: a port, a path of a socket, or a URL. */

const { classes } = require('./errors');

/** The URL as it may be shown: without its password. */
function redact(url) {
  return url.replace(/\/\/[^@/]*@/, '//***@');
}

function refuse(url, why) {
  return new classes.ConfigError(
    `The URL "${redact(url)}" ${why}; ` +
      'write redis://[[user]:password@]host[:port][/db], rediss:// for TLS, ' +
      'unix://[[user]:password@]/path[?db=n] or a path for a Unix socket',
    { status: 'URL', executed: 'no', attempts: 0, elapsedMs: 0, node: '' },
  );
}

function decode(url, text) {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refuse(url, 'has a malformed percent escape');
  }
}

function queryOptions(parameters) {
  const options = {};
  for (const [name, value] of parameters) {
    if (value === 'true' || value === 'false') options[name] = value === 'true';
    else options[name] = /^\d+$/.test(value) ? Number(value) : value;
  }
  return options;
}

function parsePath(text) {
  const [path, query] = text.split('?', 2);
  return { path, ...queryOptions(new URLSearchParams(query || '')) };
}

/* URL wants a host after credentials, and a path of a socket has none: one is lent to it. */
function parseSocket(text) {
  const [, authority, rest] = /^unix:\/\/([^/?#]*)(.*)$/is.exec(text);
  if ((authority !== '' && !authority.endsWith('@')) || !/^\/[^?#]/.test(rest))
    throw refuse(text, 'wants an absolute path, as in unix:///run/redis.sock');
  const url = parse(`unix://${authority}host${rest}`, text);
  const path = decode(text, url.pathname);
  return { ...queryOptions(url.searchParams), ...credentials(url, text), path };
}

function parse(text, original) {
  try {
    return new URL(text);
  } catch {
    throw refuse(original, 'is malformed');
  }
}

function credentials(url, original) {
  const options = {};
  if (url.username || url.password) options.username = decode(original, url.username);
  if (url.password) options.password = decode(original, url.password);
  return options;
}

function parseAbsolute(text, original) {
  const url = parse(text, original);
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') {
    throw refuse(
      original,
      `has the scheme "${url.protocol.slice(0, -1)}", which is none of redis, rediss and unix`,
    );
  }
  const options = { ...queryOptions(url.searchParams), ...credentials(url, original) };
  /* An IPv6 address stands in brackets in a URL, and without them in an option. */
  if (url.hostname) options.host = url.hostname.replace(/^\[|\]$/g, '');
  if (url.port) options.port = Number(url.port);
  if (url.protocol === 'rediss:') options.tls = true;
  const db = url.pathname.replace(/^\//, '');
  if (db !== '' && !/^\d+$/.test(db))
    throw refuse(original, `names the database "${db}", which is not a number`);
  if (db !== '') options.db = Number(db);
  return options;
}

/** The options a string stands for. Throws ConfigError when it is none of the forms. */
function parseString(text) {
  if (/^\d+$/.test(text)) return { port: Number(text) };
  if (text.startsWith('//')) return parseAbsolute(`redis:${text}`, text);
  if (text.startsWith('/')) return parsePath(text);
  if (/^unix:\/\//i.test(text)) return parseSocket(text);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return parseAbsolute(text, text);
  return parseAbsolute(`redis://${text}`, text);
}

module.exports = { parseString };
