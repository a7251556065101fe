import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { ListenError } from '../../src/telemetry/listen-error.ts';
import { livez, parseListenAddress, startHttpServer } from '../../src/telemetry/http-server.ts';

describe('a listen address', () => {
  const good: [string, { host: string | undefined; port: number }][] = [
    ['127.0.0.1:9464', { host: '127.0.0.1', port: 9464 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    [':9464', { host: undefined, port: 9464 }],
    ['[::1]:80', { host: '::1', port: 80 }],
    ['[::]:65535', { host: '::', port: 65535 }],
    ['[fe80::1%eth0]:1', { host: 'fe80::1%eth0', port: 1 }],
  ];
  for (const [text, address] of good) {
    it(`may be ${text}`, () => assert.deepEqual(parseListenAddress(text), address));
  }
  for (const text of [
    '',
    '9464',
    'localhost',
    'localhost:',
    'localhost:http',
    '::1:80',
    '[::1]',
    'a:65536',
    'http://a:1',
    'a:1/x',
    'a b:1',
    '[localhost]:1',
  ]) {
    it(`cannot be ${JSON.stringify(text)}`, () => assert.equal(parseListenAddress(text), undefined));
  }
});

describe('the HTTP server', () => {
  const pages = {
    '/livez': livez,
    '/metrics': () => Promise.resolve({ contentType: 'text/plain; version=0.0.4', body: 'up 1\n' }),
    '/broken': () => {
      throw new Error('no such luck');
    },
  };

  it('serves its pages, 404 for others, 405 for other methods, 500 for a page that throws', async () => {
    const server = await startHttpServer({ host: '127.0.0.1', port: 0 }, pages);
    try {
      const metrics = await fetch(`${server.url}/metrics?x=1`);
      assert.equal(metrics.status, 200);
      assert.equal(metrics.headers.get('content-type'), 'text/plain; version=0.0.4');
      assert.equal(await metrics.text(), 'up 1\n');
      assert.equal(await (await fetch(`${server.url}/livez`)).text(), 'ok\n');
      const head = await fetch(`${server.url}/livez`, { method: 'HEAD' });
      assert.deepEqual([head.status, head.headers.get('content-length'), await head.text()], [200, '3', '']);
      const missing = await fetch(`${server.url}/`);
      assert.equal(missing.status, 404);
      assert.match(await missing.text(), /\/livez, \/metrics/);
      assert.equal((await fetch(`${server.url}/toString`)).status, 404);
      const post = await fetch(`${server.url}/metrics`, { method: 'POST', body: 'x' });
      assert.deepEqual([post.status, post.headers.get('allow')], [405, 'GET, HEAD']);
      assert.equal((await fetch(`${server.url}/broken`)).status, 500);
    } finally {
      await server.close();
    }
    await assert.rejects(fetch(`${server.url}/livez`));
  });

  it('closes although a client keeps its connection open', async () => {
    const server = await startHttpServer({ host: '127.0.0.1', port: 0 }, pages);
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.on('error', () => undefined);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await server.close();
    await closed;
  });

  it('names the address that is in use', async () => {
    const server = await startHttpServer({ host: '127.0.0.1', port: 0 }, pages);
    const port = Number(new URL(server.url).port);
    await assert.rejects(startHttpServer({ host: '127.0.0.1', port }, pages), (error) => {
      assert.ok(error instanceof ListenError);
      assert.equal(error.code, 'EADDRINUSE');
      assert.equal(error.message, `cannot listen on 127.0.0.1:${port}: the port is in use (EADDRINUSE)`);
      return true;
    });
    await server.close();
  });

  it('reports that an address does not belong to this machine', async () => {
    await assert.rejects(startHttpServer({ host: '192.0.2.1', port: 0 }, pages), /this machine has no such address/);
  });
});
