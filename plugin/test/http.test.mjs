import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import test from 'node:test';

const require = createRequire(import.meta.url);
const settings = require('./settings.cjs');
const http = require('../www/http.js');

// A real server that says what it got.
const server = createServer((req, res) => {
  const chunks = [];
  req.on('data', (c) => chunks.push(c));
  req.on('end', () => {
    const status = Number(new URL(req.url, 'http://h').searchParams.get('status')) || 200;
    if (req.url.startsWith('/redirect')) {
      res.writeHead(302, { Location: '/landed' }).end();
      return;
    }
    res.writeHead(status, { 'Content-Type': 'application/json', 'X-Seen': 'yes' });
    res.end(JSON.stringify({ method: req.method, url: req.url, headers: req.headers, body: Buffer.concat(chunks).toString('latin1') }));
  });
});
await new Promise((done) => server.listen(0, '127.0.0.1', done));
test.after(() => { server.closeAllConnections(); server.close(); });
const base = `http://127.0.0.1:${server.address().port}`;

test.beforeEach(async () => {
  settings.use({});
  await http.enableSSLPinning(false);
});

const got = async (promise) => JSON.parse((await promise).data);

test('every method, with promises', async () => {
  for (const method of ['get', 'delete']) {
    const { method: seen, url, body } = await got(http[method](`${base}/p`, { a: 1 }, { 'X-Own': 'o' }));
    assert.deepEqual([seen, url, body], [method.toUpperCase(), '/p?a=1', '']);
  }
  for (const method of ['post', 'put', 'patch']) {
    const answer = await got(http[method](`${base}/p`, { a: [1, 2] }, {}));
    assert.deepEqual([answer.method, answer.url, answer.body], [method.toUpperCase(), '/p', 'a%5B%5D=1&a%5B%5D=2']);
    assert.match(answer.headers['content-type'], /^application\/x-www-form-urlencoded/);
  }
  const head = await http.head(`${base}/p`, {}, {});
  assert.equal(head.status, 200);
  assert.equal(head.data, '');
  assert.equal(head.headers['x-seen'], 'yes');
});

test('JSON where the caller says so', async () => {
  const answer = await got(http.post(`${base}/p`, { a: { b: 1 } }, { 'Content-Type': 'application/json' }));
  assert.equal(answer.body, '{"a":{"b":1}}');
});

test('callbacks', async () => {
  const ok = await new Promise((done, fail) => { http.get(`${base}/p`, {}, {}, done, fail); });
  assert.equal(ok.status, 200);
  const failed = await new Promise((done, fail) => { http.post(`${base}/p?status=418`, {}, {}, fail, done); });
  assert.equal(failed.status, 418);
  assert.match(failed.error, /"method":"POST"/);
});

test('failures of the network have status 0 and say what it may be', async () => {
  await assert.rejects(http.get('http://127.0.0.1:1/', {}, {}), (err) => err.status === 0 && /CORS/.test(err.error));
});

test('headers of every request, and those of one', async () => {
  http.setHeader('X-All', 'all');
  http.useBasicAuth('käthe', 'pä:ss');
  let { headers } = await got(http.get(base, {}, { 'X-All': 'own' }));
  assert.equal(headers['x-all'], 'own');
  assert.equal(Buffer.from(headers.authorization.slice(6), 'base64').toString(), 'käthe:pä:ss');
  http.setHeader('X-All', null);
  http.setHeader('Authorization', null);
  ({ headers } = await got(http.get(base, {}, null)));
  assert.equal(headers['x-all'], undefined);
  assert.equal(headers.authorization, undefined);
  assert.deepEqual(http.getBasicAuthHeader('a', 'b'), { Authorization: 'Basic YTpi' });
});

test('uploads a file with its parameters', async () => {
  const { body, headers } = await got(http.uploadFile(`${base}/up`, { note: 'n' }, {}, new Blob(['content'], { type: 'text/plain' }), 'picture'));
  assert.match(headers['content-type'], /^multipart\/form-data; boundary=/);
  assert.match(body, /name="note"\r\n\r\nn\r\n/);
  assert.match(body, /name="picture"; filename="[^"]+"\r\nContent-Type: text\/plain\r\n\r\ncontent\r\n/);
});

test('downloads through cordova-plugin-file, and says when it is missing', async () => {
  await assert.rejects(http.downloadFile(`${base}/f`, {}, {}, 'file:///data/f'), /cordova-plugin-file/);
  const written = [];
  globalThis.window = {
    resolveLocalFileSystemURL: (url, ok) => ok({
      getFile: (name, options, done) => done({
        name, folder: url, createWriter: (use) => { const w = { write: async (b) => { written.push(await b.text()); w.onwriteend(); } }; use(w); },
      }),
    }),
  };
  try {
    const entry = await http.downloadFile(`${base}/f`, { q: 1 }, {}, 'file:///data/f.json');
    assert.deepEqual([entry.folder, entry.name], ['file:///data/', 'f.json']);
    assert.equal(JSON.parse(written[0]).url, '/f?q=1');
  } finally {
    delete globalThis.window;
  }
});

test('URLs that are refused', async () => {
  for (const url of ['ftp://h/', 'nothing', 'https://user:secret@h/', 'javascript:alert(1)']) {
    await assert.rejects(http.get(url, {}, {}), (err) => err.status === 0 && !/secret/.test(err.message), url);
  }
});

test('pinning where the platform enforces it', async () => {
  settings.use({ enforced: 'native', pins: [
    { host: 'pinned.example', subdomains: true, expires: '' },
    { host: 'old.pinned.example', subdomains: false, expires: '2020-01-01' },
  ] });
  await http.enableSSLPinning(true);
  const asked = [];
  const real = globalThis.fetch;
  globalThis.fetch = async (url, init) => { asked.push([url, init.redirect]); return new Response('ok'); };
  try {
    for (const [url, why] of [
      ['https://other.example/', /no <cordon:pin>/],
      ['https://xpinned.example/', /no <cordon:pin>/],
      ['http://pinned.example/', /not https/],
      ['https://old.pinned.example/', /expired/],
      ['https://pinned.example.evil.test/', /no <cordon:pin>/],
    ]) await assert.rejects(http.get(url, {}, {}), (err) => err.status === 0 && why.test(err.error), url);
    assert.deepEqual(asked, []);
    for (const url of ['https://pinned.example/', 'https://a.b.PINNED.example/', 'https://pinned.example./']) await http.get(url, {}, {});
    assert.deepEqual(asked.map(([, redirect]) => redirect), ['error', 'error', 'error']);
    await http.enableSSLPinning(false);
    await http.get('https://other.example/', {}, {});
    assert.equal(asked[3][1], 'follow');
  } finally {
    globalThis.fetch = real;
  }
});

test('a redirect is followed without pinning', async () => {
  assert.equal((await got(http.get(`${base}/redirect`, {}, {}))).url, '/landed');
});

test('pinning where it cannot be promised fails, and nothing leaves', async () => {
  for (const [enforced, pins, why] of [
    ['unverified', [{ host: '127.0.0.1', subdomains: false, expires: '' }], /iOS web view is not known to enforce/],
    ['none', [], /nothing enforces pins/],
    ['native', [], /no <cordon:pin>/],
  ]) {
    settings.use({ enforced, pins });
    const failed = await new Promise((done, fail) => { http.enableSSLPinning(true, fail, done); });
    assert.match(failed.error, why);
    await assert.rejects(http.get(`${base}/p`, {}, {}), why);
    await http.enableSSLPinning(false);
    assert.equal((await http.get(`${base}/p`, {}, {})).status, 200);
  }
});

test('weaker TLS is refused but in debug builds', async () => {
  for (const [name, weak] of [['acceptAllCerts', true], ['validateDomainName', false]]) {
    settings.use({ debug: false });
    const failed = await new Promise((done, fail) => { http[name](weak, fail, done); });
    assert.match(failed.error, /refused/);
    await http[name](!weak);
    settings.use({ debug: true });
    const warn = console.warn;
    const said = [];
    console.warn = (text) => said.push(text);
    try {
      await http[name](weak);
    } finally {
      console.warn = warn;
    }
    assert.match(said[0], /checks stay on/);
  }
});

test('an AngularJS service', async () => {
  const made = {};
  globalThis.angular = { module: (name, needs) => ({ factory: (service, parts) => { made[service] = parts; } }) };
  try {
    delete require.cache[require.resolve('../www/http.js')];
    require('../www/http.js');
    const service = made.cordovaHTTP[1]((run) => new Promise(run));
    assert.equal((await service.get(`${base}/p`, {}, {})).status, 200);
    assert.deepEqual(service.getBasicAuthHeader('a', 'b'), { Authorization: 'Basic YTpi' });
  } finally {
    delete globalThis.angular;
  }
});
