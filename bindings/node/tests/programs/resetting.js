'use strict';
/** A server between client and server that answers a SET itself and resets the connection. */

const net = require('node:net');

const server = net.createServer((client) => {
  const upstream = net.connect(Number(process.argv[2]), '127.0.0.1');
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ]) {
    from.on('error', () => {});
    from.on('close', () => to.destroy());
  }
  upstream.on('data', (data) => client.write(data));
  client.on('data', (data) => {
    if (!data.includes('reset me')) {
      upstream.write(data);
      return;
    }
    client.write('+OK\r\n');
    setTimeout(() => client.resetAndDestroy(), 20);
  });
});
server.listen(0, '127.0.0.1', () => process.send(server.address().port));
