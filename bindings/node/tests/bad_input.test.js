'use strict';
/**
 * Wrong options, wrong servers, wrong values: each a specific error, with cause and remedy, within
 * its deadline.
 */

const assert = require('node:assert');
const { describe, it } = require('node:test');
const {
  Redis,
  at,
  freePort,
  freeze,
  key,
  rejection,
  servers,
  sleep,
  startRedis,
  startServer,
  until,
  using,
} = require('./support');

const CONNECT_TIMEOUT_MS = 10000; // what connectTimeout is when nobody says
const lazy = { lazyConnect: true };
const noRetry = { retryStrategy: () => null, maxRetriesPerRequest: 0 };

/** The error a client that cannot connect emits, and the one its first command gets. */
async function failing(options, deadlineMs) {
  const redis = new Redis({ ...noRetry, ...options });
  const errors = [];
  redis.on('error', (error) => errors.push(error));
  const error = await rejection(redis.get('x'), deadlineMs);
  redis.disconnect();
  await sleep(0);
  return { error, emitted: errors[0] };
}

describe('options', () => {
  const refused = (options, pattern) => {
    assert.throws(
      () => new Redis({ ...lazy, ...options }),
      (error) => {
        assert.ok(error instanceof Redis.ConfigError, `${error.name}: ${error.message}`);
        assert.match(error.message, pattern);
        return true;
      },
    );
  };

  it('names the option that was probably meant', () => {
    refused({ maxRetryPerRequest: 3 }, /'maxRetryPerRequest'.*did you mean 'maxRetriesPerRequest'/);
    refused({ tls: { serverName: 'x' } }, /'tls.serverName'.*did you mean 'servername'/);
    refused({ nonsense: 1 }, /Unknown option 'nonsense'/);
  });

  it('names the option whose value is wrong', () => {
    refused({ port: 'abc' }, /'port' is "abc"/);
    refused({ port: 70000 }, /'port' wants an integer from 1 to 65535, got '70000'/);
    refused({ connectTimeout: 4e9 }, /'connectTimeout' wants an integer/);
    refused({ connectTimeout: -5 }, /'connectTimeout'/);
    refused({ maxRetriesPerRequest: 1.5 }, /'maxRetriesPerRequest'/);
    refused({ lazyConnect: 'yes' }, /'lazyConnect' is "yes"/);
    refused({ retryStrategy: 5 }, /'retryStrategy' wants a function/);
    refused({ family: 5 }, /'family'/);
    refused({ protocol: 4 }, /'protocol'/);
    refused({ connectionName: 'two words' }, /'connectionName' wants printable ASCII/);
    refused({ tls: 5 }, /'tls'/);
  });

  it('refuses by name what it cannot honour', () => {
    refused({ keyPrefix: 5 }, /'keyPrefix' wants a string/);
    refused({ sentinels: [{ host: 'h' }] }, /'sentinels' is not supported/);
    refused({ reconnectOnError: true }, /'reconnectOnError' wants a function/);
    refused(
      { tls: { checkServerIdentity: () => undefined } },
      /'tls.checkServerIdentity' is not supported/,
    );
  });

  it('quotes a malformed URL without its password', () => {
    for (const url of [
      'http://h',
      'redis://h:99999',
      'redis://u:geheim@h/x',
      'redis://u:%zz@h',
      'redis://[::1',
      'unix://',
      'unix:///',
      'unix://run/redis.sock',
      'unix://u:geheim@host/run/redis.sock',
      'unix:///a%zz',
    ]) {
      assert.throws(
        () => new Redis(url, lazy),
        (error) => {
          assert.ok(error instanceof Redis.ConfigError, url);
          assert.match(error.message, /redis:\/\/\[\[user\]/);
          assert.doesNotMatch(error.message, /geheim/);
          return true;
        },
      );
    }
    assert.throws(() => new Redis('redis://h/0?nosuch=1', lazy), /Unknown option 'nosuch'/);
    assert.throws(() => new Redis(true), /Invalid argument true/);
  });

  it('names a CA file that is missing or no certificate', () => {
    refused({ tls: { caFile: '/nonexistent/ca.pem' } }, /\/nonexistent\/ca\.pem/);
    refused({ tls: { ca: 'not a certificate' } }, /tls\.ca cannot be used/);
    refused(
      { tls: { certFile: '/nonexistent/c.pem', keyFile: '/nonexistent/k.pem' } },
      /nonexistent/,
    );
  });

  it('refuses wrong cluster options', () => {
    const cluster = (nodes, options) => () => new Redis.Cluster(nodes, { ...lazy, ...options });
    assert.throws(cluster([], {}), /at least one node/);
    assert.throws(
      cluster([7000], { scaleReads: 'replica' }),
      /Expected "all", "master" or "slave"/,
    );
    const natMap = (value) => cluster([7000], { natMap: value });
    assert.throws(natMap(() => null), /a function is not supported/);
    assert.throws(natMap({ 'a:1': { host: 'b' } }), /"a:1" wants { host, port }/);
    assert.throws(natMap({ a: { host: 'b', port: 1 } }), /"a" wants/);
    assert.throws(natMap({ 'a:1': { host: 'b=c', port: 1 } }), /pair 1/);
    assert.throws(cluster([7000], { scaleReads: () => [] }), /the core picks replicas/);
    assert.throws(cluster([7000], { scaleRead: 'slave' }), /did you mean 'scaleReads'/);
    assert.throws(cluster([7000], { redisOptions: { nosuch: 1 } }), /Unknown option 'nosuch'/);
    assert.throws(
      cluster([7000], { dnsLookup: (address, done) => done(null, '127.0.0.1') }),
      /dnsLookup/,
    );
    assert.doesNotThrow(cluster([7000], { dnsLookup: (address, done) => done(null, address) }));
  });
});

describe('servers that are not what was expected', () => {
  it('a certificate for another name', async () => {
    const { port, ca_file: caFile, certificate_name: servername } = servers.wrong_cert;
    const { error } = await failing({ port, tls: { caFile } });
    assertTls(error, /TLS_HOSTNAME/, /localhost/);
    await using(new Redis({ port, tls: { caFile, servername } }), async (redis) => {
      assert.strictEqual(await redis.ping(), 'PONG');
    });
    await using(new Redis({ port, tls: { caFile, insecureSkipHostname: true } }), async (redis) => {
      assert.strictEqual(await redis.ping(), 'PONG');
    });
  });

  it('a certificate of another authority', async () => {
    const { error } = await failing(at('tls', { tls: { caFile: servers.other_ca_file } }));
    assertTls(error, /TLS_CERTIFICATE/, /./);
    const system = await failing(at('tls', { tls: {} }));
    assertTls(system.error, /TLS_CERTIFICATE/, /./);
    await using(new Redis(at('tls', { tls: { rejectUnauthorized: false } })), async (redis) => {
      assert.strictEqual(await redis.ping(), 'PONG');
    });
  });

  it('TLS to a plain port, and the reverse', async () => {
    const toPlain = await failing(
      at('standalone', { tls: { caFile: servers.ca_file }, connectTimeout: 2000 }),
    );
    assert.match(causes(toPlain.error), /TLS/);
    const toTls = await failing(at('tls', { connectTimeout: 2000 }));
    assert.match(causes(toTls.error), /TLS/i);
  });

  it('a server that wants a client certificate', async () => {
    const { ca_file: caFile, cert_file: certFile, key_file: keyFile } = servers.mtls;
    const { error } = await failing(at('mtls', { tls: { caFile }, connectTimeout: 2000 }));
    assert.match(causes(error), /TLS|certificate/i);
    await using(new Redis(at('mtls', { tls: { caFile, certFile, keyFile } })), async (redis) => {
      assert.strictEqual(await redis.ping(), 'PONG');
    });
  });

  it('a wrong password', async () => {
    const { host, port, username } = servers.acl;
    const { error, emitted } = await failing({ host, port, username, password: 'falsch' });
    for (const auth of [error, emitted]) {
      assert.ok(
        auth instanceof Redis.AuthError && auth instanceof Redis.ReplyError,
        `${auth.name}: ${auth.message}`,
      );
      assert.match(auth.message, /^WRONGPASS .*username and password/);
      assert.strictEqual(auth.prefix, 'WRONGPASS');
      assert.doesNotMatch(auth.message, /falsch/);
    }
  });

  it('no password where one is wanted', async () => {
    const { host, port } = servers.acl;
    const redis = new Redis({ host, port, ...noRetry });
    redis.on('error', () => {});
    const error = await rejection(redis.get('x'));
    assert.match(causes(error), /NOAUTH/);
    redis.disconnect();
  });

  it('a host that does not exist, or does not answer', async () => {
    /* Two dots in a row are no name, so no name server is asked, who may be slow or away. */
    const unknown = await failing({ host: 'no..such.invalid' });
    assert.match(causes(unknown.error), /no\.\.such\.invalid/);
    assert.strictEqual(unknown.emitted.code, 'ENOTFOUND');
    const silent = await startServer((socket) => socket.on('data', () => {}));
    const hung = await failing({ port: silent.port, connectTimeout: 300 }, CONNECT_TIMEOUT_MS / 2);
    assert.strictEqual(hung.emitted.code, 'ETIMEDOUT');
    assert.ok(hung.emitted instanceof Redis.ConnectTimeoutError);
    silent.close();
    const refused = await failing({ port: await freePort() });
    assert.strictEqual(refused.emitted.code, 'ECONNREFUSED');
    assert.strictEqual(refused.error.executed, 'no');
  });

  it('a server that answers garbage', async () => {
    for (const garbage of [
      'HTTP/1.1 400 Bad Request\r\n\r\n',
      '\0\0\0\0\r\n',
      '$-5\r\n',
      '*99999999999\r\n',
    ]) {
      const server = await startServer((socket) => socket.on('data', () => socket.write(garbage)));
      const { error } = await failing({ port: server.port, connectTimeout: 2000 });
      assert.match(causes(error), /PROTOCOL|LIMIT/, garbage);
      server.close();
    }
  });

  it('garbage in the middle of a reply', async () => {
    const answers = { HELLO: '*2\r\n$5\r\nproto\r\n:2\r\n', CLIENT: '+OK\r\n' };
    const server = await startServer((socket) =>
      socket.on('data', (data) => {
        for (const [, name] of data.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)) {
          socket.write(answers[name] || '*2\r\n$2\r\nab\r\nxyz\r\n');
        }
      }),
    );
    await using(
      new Redis({ port: server.port, maxRetriesPerRequest: 0, retryStrategy: () => 10 }),
      async (redis) => {
        await until(() => redis.status === 'ready');
        const error = await rejection(redis.incr('x'));
        assert.ok(error instanceof Redis.ProtocolError, `${error.name}: ${error.message}`);
        assert.strictEqual(error.executed, 'unknown');
        await until(() => redis.status === 'ready');
      },
    );
    server.close();
  });

  it('a server without cluster support', async () => {
    const { host, port } = servers.standalone;
    const cluster = new Redis.Cluster([{ host, port }], { clusterRetryStrategy: () => null });
    const errors = [];
    cluster.on('error', (error) => errors.push(error));
    const error = await rejection(cluster.get('x'));
    assert.strictEqual(error.message, 'None of startup nodes is available');
    assert.ok(errors[0] instanceof Redis.ClusterAllFailedError);
    assert.match(errors[0].lastNodeError.message, /cluster support disabled/);
    cluster.disconnect();
  });
});

describe('values', () => {
  it('a 600 MB value is refused before it is sent', async () => {
    await using(new Redis(at('standalone')), async (redis) => {
      await redis.ping();
      const error = await rejection(redis.set(key('huge'), Buffer.alloc(600 << 20)));
      assert.ok(error instanceof Redis.LimitError, `${error.name}: ${error.message}`);
      assert.strictEqual(error.executed, 'no');
      assert.match(error.message, /max_request_bytes|larger/);
      assert.strictEqual(await redis.ping(), 'PONG');
    });
  });

  it('a key with NUL bytes is any other key', async () => {
    await using(new Redis(at('standalone')), async (redis) => {
      await redis.set(key('nul\0a'), 'a', 'EX', 60);
      await redis.set(key('nul\0b'), 'b', 'EX', 60);
      assert.strictEqual(await redis.get(key('nul\0a')), 'a');
      assert.strictEqual(await redis.get(key('nul')), null);
    });
  });

  it('a slow command ends at commandTimeout', async () => {
    const server = await startRedis();
    await using(new Redis({ port: server.port, commandTimeout: 200 }), async (redis) => {
      await until(() => redis.status === 'ready');
      await freeze(server);
      const error = await rejection(redis.get('x'));
      assert.strictEqual(error.message, 'Command timed out');
      assert.ok(error instanceof Redis.TimeoutError);
      assert.strictEqual(error.executed, 'unknown');
      server.child.kill('SIGCONT');
      const ping = () => redis.ping().catch((late) => late);
      await until(async () => (await ping()) === 'PONG', 'an answer after the late one');
    });
    await server.stop();
  });

  it('more commands than maxPending', async () => {
    await using(new Redis(at('standalone', { maxPending: 100 })), async (redis) => {
      await redis.ping();
      const outcomes = await Promise.allSettled(Array.from({ length: 1000 }, () => redis.ping()));
      const failed = outcomes
        .filter(({ status }) => status === 'rejected')
        .map(({ reason }) => reason);
      assert.ok(failed.length > 0 && failed.length < 1000);
      for (const error of failed) assert.strictEqual(error.status, 'QUEUE_FULL');
      assert.strictEqual(await redis.ping(), 'PONG');
    });
  });
});

/** The message, name and status of an error and of everything that caused it. */
function causes(error) {
  let text = '';
  for (let each = error; each; each = each.cause || each.lastNodeError)
    text += `${each.status} ${each.name}: ${each.message}\n`;
  return text;
}

function assertTls(error, status, message) {
  const text = causes(error);
  assert.match(text, status);
  assert.match(text, message);
  let innermost = error;
  while (innermost.cause) innermost = innermost.cause;
  assert.ok(innermost instanceof Redis.TlsError, text);
}
