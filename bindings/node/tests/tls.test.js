'use strict';
/** TLS from inside Node, whose own OpenSSL must not get in the way of the core's. */

const assert = require('node:assert');
const crypto = require('node:crypto');
const fs = require('node:fs');
const https = require('node:https');
const tls = require('node:tls');
const { describe, it } = require('node:test');
const { once } = require('node:events');
const { Redis, at, key, servers, using } = require('./support');

const caFile = servers.ca_file;

describe('TLS', () => {
  it('verifies by CA file, directory, text and several texts', async () => {
    const pem = fs.readFileSync(caFile);
    const other = fs.readFileSync(servers.other_ca_file, 'utf8');
    for (const options of [
      { caFile },
      { caDir: servers.tls.ca_dir },
      { ca: pem },
      { ca: pem.toString() },
      { ca: [other, pem] },
    ]) {
      await using(new Redis(at('tls', { tls: options })), async (redis) => {
        assert.strictEqual(await redis.set(key('tls'), 'geheim', 'EX', 60), 'OK');
        assert.strictEqual(await redis.get(key('tls')), 'geheim');
      });
    }
  });

  it('carries large values and many promises', async () => {
    await using(new Redis(at('tls', { tls: { caFile } })), async (redis) => {
      const large = Buffer.alloc(3 << 20, 'xyz');
      await redis.set(key('tls-large'), large, 'EX', 60);
      assert.ok((await redis.getBuffer(key('tls-large'))).equals(large));
      const values = await Promise.all(Array.from({ length: 1000 }, (_, i) => redis.echo(`v${i}`)));
      values.forEach((value, i) => assert.strictEqual(value, `v${i}`));
    });
  });

  it('shows a client certificate, and takes rediss:// and minVersion', async () => {
    const { cert_file: certFile, key_file: keyFile } = servers.mtls;
    await using(
      new Redis(at('mtls', { tls: { caFile, certFile, keyFile, minVersion: 'TLSv1.3' } })),
      async (redis) => {
        assert.strictEqual(await redis.ping(), 'PONG');
      },
    );
    const { host, port } = servers.tls;
    await using(
      new Redis(`rediss://${host}:${port}`, { tls: { caFile, minVersion: 'TLSv1.3' } }),
      async (redis) => {
        assert.strictEqual(await redis.ping(), 'PONG');
      },
    );
  });

  it('shows a client certificate from text or Buffer, its key encrypted or not', async () => {
    const { cert_file: certFile, key_file: keyFile } = servers.mtls;
    const [cert, key] = [certFile, keyFile].map((file) => fs.readFileSync(file));
    const locked = crypto
      .createPrivateKey(key)
      .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'geheim' });
    for (const identity of [
      { cert, key },
      { cert: cert.toString(), key: key.toString() },
      { cert, key: locked, passphrase: 'geheim' },
      { cert, key: Buffer.from(locked), passphrase: Buffer.from('geheim') },
      { cert, keyFile },
      { certFile, key },
    ]) {
      const options = at('mtls', { tls: { caFile, ...identity }, connectTimeout: 2000 });
      await using(new Redis(options), async (redis) => {
        assert.strictEqual(await redis.ping(), 'PONG');
      });
    }
  });

  it('refuses a client certificate that cannot be used, and never shows the key', () => {
    const { cert_file: certFile, key_file: keyFile } = servers.mtls;
    const [cert, key] = [certFile, keyFile].map((file) => fs.readFileSync(file, 'utf8'));
    const pair = crypto.generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'p' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    const other = crypto
      .createPrivateKey({ key: pair.privateKey, passphrase: 'p' })
      .export({ type: 'pkcs8', format: 'pem' });
    for (const [identity, message] of [
      [{ cert }, /'tls\.cert' is set without 'tls\.keyFile' or 'tls\.key'/],
      [{ key }, /'tls\.key' is set without 'tls\.certFile' or 'tls\.cert'/],
      [{ cert, certFile, key }, /'tls\.certFile' and 'tls\.cert' exclude each other/],
      [{ cert, key, keyFile }, /'tls\.keyFile' and 'tls\.key' exclude each other/],
      [{ cert: 'nonsense', key }, /tls\.cert cannot be used: it holds no certificate/],
      [{ cert, key: cert }, /tls\.key cannot be used: it holds no private key/],
      [{ cert, key: other }, /tls\.key cannot be used: .* does not belong to tls\.cert/],
      [{ cert, key: pair.privateKey }, /tls\.key cannot be used: .* set tls\.passphrase/],
      [{ cert, key: pair.privateKey, passphrase: 'q' }, /tls\.passphrase is wrong/],
      [{ cert: [cert], key }, /'tls\.cert' wants one PEM text/],
      [{ cert, key: [{ pem: key, passphrase: 'p' }] }, /'tls\.key' wants one PEM text/],
      [{ cert, key: 5 }, /'tls\.key' wants a string/],
    ]) {
      assert.throws(
        () => new Redis(at('mtls', { tls: { caFile, ...identity }, lazyConnect: true })),
        (error) => {
          assert.strictEqual(error.name, 'ConfigError');
          assert.match(error.message, message);
          const lines = `${key}${other}${pair.privateKey}`.split('\n');
          const secrets = lines.filter((line) => line && !line.startsWith('-----'));
          assert.ok(!secrets.some((line) => error.message.includes(line.slice(0, 16))));
          return true;
        },
      );
    }
  });

  it('resumes sessions when it reconnects', async () => {
    await using(
      new Redis(at('tls', { tls: { caFile }, retryStrategy: () => 1 })),
      async (redis) => {
        await redis.ping();
        redis.disconnect(true);
        await redis.ping();
        assert.strictEqual(redis.stats().tlsResumed, 1);
      },
    );
  });

  it("leaves Node's own TLS working beside it", async () => {
    const ca = fs.readFileSync(caFile);
    const { cert_file: certFile, key_file: keyFile } = servers.mtls;
    const server = https.createServer(
      { cert: fs.readFileSync(certFile), key: fs.readFileSync(keyFile) },
      (request, response) => response.end('hello'),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    await using(new Redis(at('tls', { tls: { caFile } })), async (redis) => {
      const fetchOne = () =>
        new Promise((resolve, reject) => {
          https
            .get(
              {
                port: server.address().port,
                ca,
                checkServerIdentity: () => undefined,
                agent: false,
              },
              (response) => {
                let body = '';
                response.on('data', (chunk) => {
                  body += chunk;
                });
                response.on('end', () => resolve(body));
              },
            )
            .on('error', reject);
        });
      const work = [];
      for (let i = 0; i < 20; i++) work.push(fetchOne(), redis.ping());
      const results = await Promise.all(work);
      assert.deepStrictEqual(results, Array.from({ length: 20 }, () => ['hello', 'PONG']).flat());
      const socket = tls.connect({ ...at('tls'), ca });
      await once(socket, 'secureConnect');
      assert.ok(socket.authorized);
      socket.destroy();
    });
    server.close();
  });

  it('says which TLS library the core talks through', () => {
    assert.match(Redis.tlsVersion, /^OpenSSL 3/);
  });
});
