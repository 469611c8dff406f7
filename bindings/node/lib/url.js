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
      'or a path of a Unix socket',
    { status: 'URL', executed: 'no', attempts: 0, elapsedMs: 0, node: '' },
  );
}

function decode(url, text) {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refuse(url, 'has a malformed percent escape in its user or password');
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

function parseAbsolute(text, original) {
  let url;
  try {
    url = new URL(text);
  } catch {
    throw refuse(original, 'is malformed');
  }
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') {
    throw refuse(
      original,
      `has the scheme "${url.protocol.slice(0, -1)}", which is none of redis and rediss`,
    );
  }
  const options = queryOptions(url.searchParams);
  /* An IPv6 address stands in brackets in a URL, and without them in an option. */
  if (url.hostname) options.host = url.hostname.replace(/^\[|\]$/g, '');
  if (url.port) options.port = Number(url.port);
  if (url.username || url.password) options.username = decode(original, url.username);
  if (url.password) options.password = decode(original, url.password);
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
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return parseAbsolute(text, text);
  return parseAbsolute(`redis://${text}`, text);
}

module.exports = { parseString };
