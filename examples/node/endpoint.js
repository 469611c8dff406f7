'use strict';
/**
 * Where the examples connect to: REDIS_HOST, REDIS_PORT and REDIS_CA, or one of the servers of
 * TENDON_SERVERS.
 */

const fs = require('node:fs');

/** {host, port, tls?} of the server the first argument names; `fallback` when there is none. */
module.exports = function endpoint(fallback) {
  const name = process.argv[2] || fallback;
  const { REDIS_HOST, REDIS_PORT, REDIS_CA, TENDON_SERVERS } = process.env;
  if (REDIS_HOST) {
    return {
      host: REDIS_HOST,
      port: Number(REDIS_PORT || 6379),
      ...(REDIS_CA && { tls: { caFile: REDIS_CA } }),
    };
  }
  if (!TENDON_SERVERS)
    throw new Error('set REDIS_HOST and REDIS_PORT, or TENDON_SERVERS (eval "$(./dev env)")');
  const server = JSON.parse(fs.readFileSync(TENDON_SERVERS, 'utf8'))[name];
  if (!server) throw new Error(`TENDON_SERVERS describes no server "${name}"`);
  const { host, port } = server.nodes ? server.nodes[0] : server;
  return { host, port, ...(server.ca_file && { tls: { caFile: server.ca_file } }) };
};
