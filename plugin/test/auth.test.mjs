import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import test from 'node:test';

const require = createRequire(import.meta.url);
const auth = require('../www/auth.js');
const http = require('../www/http.js');

const own = 'https://app.example';
const jwt = (seconds, name = 'x') => `h.${Buffer.from(JSON.stringify({ exp: Math.floor(Date.now() / 1000) + seconds, name })).toString('base64url')}.s`;

let asked;
let answer;
const real = globalThis.fetch;
test.beforeEach(async () => {
  asked = [];
  answer = () => new Response('{}');
  globalThis.fetch = async (input, init = {}) => {
    const url = typeof input === 'string' ? input : input.url;
    const headers = Object.fromEntries(new Headers(init.headers));
    asked.push({ url, headers, redirect: init.redirect, method: init.method || 'GET' });
    return answer(url, headers);
  };
  await auth.configure({ url: own });
});
test.after(() => { globalThis.fetch = real; });

test('the token goes to the own origins only, and only over https', async () => {
  await auth.configure({ url: own, origins: ['https://files.example:8443'] });
  await auth.set('secret', 'sid:1');
  for (const url of [`${own}/tables/t`, 'https://files.example:8443/x', 'https://APP.example/']) {
    assert.deepEqual(await auth.header(url), { name: 'X-ZUMO-AUTH', value: 'secret' }, url);
  }
  for (const url of ['http://app.example/', 'https://app.example:444/', 'https://app.example.evil.test/', 'https://files.example/', 'https://u@app.example/', 'https://evil.test/?https://app.example', '//', 'nothing']) {
    assert.equal(await auth.header(url), null, url);
  }
});

test('fetch and cordovaHTTP attach it, and follow no redirect with it', async () => {
  await auth.set('secret');
  await auth.fetch(`${own}/a`, { headers: { 'X-Own': '1' } });
  await auth.fetch('https://other.example/b');
  await http.get(`${own}/c`, {}, {});
  await http.get('https://other.example/d', {}, {});
  assert.deepEqual(asked.map((a) => [a.url, a.headers['x-zumo-auth'], a.redirect]), [
    [`${own}/a`, 'secret', 'error'],
    ['https://other.example/b', undefined, undefined],
    [`${own}/c`, 'secret', 'error'],
    ['https://other.example/d', undefined, 'follow'],
  ]);
  assert.equal(asked[0].headers['x-own'], '1');
});

test('bearer', async () => {
  await auth.configure({ url: own, scheme: 'bearer' });
  await auth.set('secret');
  assert.deepEqual(await auth.header(own), { name: 'Authorization', value: 'Bearer secret' });
  await assert.rejects(auth.configure({ url: own, scheme: 'basic' }), /zumo/);
  await assert.rejects(auth.configure({ url: 'http://app.example' }), /https/);
});

test('a token near its end is refreshed once, however many wait', async () => {
  const next = jwt(3600, 'next');
  await auth.set(jwt(30), 'sid:1');
  answer = (url) => (url.endsWith('/.auth/refresh') ? Response.json({ authenticationToken: next, user: { userId: 'sid:1' } }) : new Response('{}'));
  const headers = await Promise.all([auth.header(`${own}/1`), auth.header(`${own}/2`), auth.header(`${own}/3`)]);
  assert.deepEqual(headers.map((h) => h.value), [next, next, next]);
  assert.equal(asked.filter((a) => a.url.endsWith('/.auth/refresh')).length, 1);
});

test('a refresh that fails leaves a token that still lasts, and ends one that is refused', async () => {
  const last = jwt(30);
  await auth.set(last, 'sid:1');
  answer = () => new Response('', { status: 500 });
  assert.equal((await auth.header(own)).value, last);
  answer = () => new Response('', { status: 403 });
  await assert.rejects(auth.header(own), /ended/);
  assert.equal(auth.user(), null);
  await auth.set(jwt(-30));
  answer = () => new Response('', { status: 500 });
  await assert.rejects(auth.header(own), /500/);
  await assert.rejects(http.get(`${own}/x`, {}, {}), (err) => err.status === 0);
});

test('a 401 is answered by one refresh and one more attempt', async () => {
  await auth.set('old', 'sid:1');
  answer = (url, headers) => {
    if (url.endsWith('/.auth/refresh')) return Response.json({ authenticationToken: 'new' });
    return new Response('', { status: headers['x-zumo-auth'] === 'new' ? 200 : 401 });
  };
  assert.equal((await auth.fetch(`${own}/t`)).status, 200);
  assert.deepEqual(asked.map((a) => a.headers['x-zumo-auth']), ['old', 'old', 'new']);
  assert.deepEqual(auth.user(), { userId: 'sid:1' });
  await auth.set('other');
  answer = () => new Response('', { status: 401 });
  assert.equal((await auth.fetch(`${own}/t`)).status, 401);
  assert.equal(auth.user(), null);
});

test('a refresh does not bring back who signed out meanwhile', async () => {
  await auth.set('old', 'sid:1');
  let finish;
  answer = () => new Promise((done) => { finish = () => done(Response.json({ authenticationToken: 'new' })); });
  const waiting = auth.refresh();
  await auth.set(null);
  finish();
  await waiting;
  assert.equal(auth.user(), null);
});

test('sign in and out', async () => {
  const seen = [];
  const stop = auth.onChange((id) => seen.push(id));
  answer = (url) => (url.includes('/login/') ? Response.json({ authenticationToken: 'tok', user: { userId: 'sid:9' } }) : new Response(''));
  assert.deepEqual(await auth.signIn('google', { id_token: 'x' }), { userId: 'sid:9' });
  assert.equal(asked[0].url, `${own}/.auth/login/google`);
  await auth.signOut();
  assert.equal(asked[1].headers['x-zumo-auth'], 'tok');
  assert.equal(await auth.header(own), null);
  stop();
  assert.deepEqual(seen, ['sid:9', null]);
});

test('the session is kept only in a store that the app hands in', async () => {
  const kept = new Map();
  const store = { get: async (k) => kept.get(k) ?? null, set: async (k, v) => kept.set(k, v), remove: async (k) => kept.delete(k) };
  globalThis.localStorage = { setItem() { throw new Error('localStorage was written'); } };
  try {
    assert.equal(await auth.configure({ url: own, store }), false);
    await auth.set('tok', 'sid:1');
    assert.equal(await auth.configure({ url: own, store }), true);
    assert.deepEqual(auth.user(), { userId: 'sid:1' });
    await auth.set(null);
    assert.equal(kept.size, 0);
  } finally {
    delete globalThis.localStorage;
  }
});

test('a client of azure-mobile-apps-client reads the current token', async () => {
  const client = { applicationUrl: own, currentUser: null };
  auth.attach(client);
  client.currentUser = { userId: 'sid:1', mobileServiceAuthenticationToken: 'first' };
  assert.equal((await auth.header(own)).value, 'first');
  answer = () => Response.json({ authenticationToken: 'second', user: { userId: 'sid:1' } });
  await auth.refresh();
  assert.deepEqual(client.currentUser, { userId: 'sid:1', mobileServiceAuthenticationToken: 'second' });
  client.currentUser = null;
  assert.equal(auth.user(), null);
  assert.throws(() => auth.attach({ applicationUrl: 'https://evil.test' }), /not one of/);
});
