import assert from 'node:assert/strict';
import test from 'node:test';
import body from '../www/body.js';

test('parameters as a form', () => {
  for (const [params, want] of [
    [{ a: 1, b: 'x y&z' }, 'a=1&b=x%20y%26z'],
    [{ list: ['a', 'b'] }, 'list%5B%5D=a&list%5B%5D=b'],
    [{ deep: { k: { l: true } } }, 'deep%5Bk%5D%5Bl%5D=true'],
    [{ gone: null, also: undefined, empty: '' }, 'empty='],
    [{ 'ü': '€' }, '%C3%BC=%E2%82%AC'],
    [null, ''],
  ]) assert.equal(body.form(params), want);
});

test('parameters in a query', () => {
  assert.equal(body.withQuery('https://h/p', { a: 1 }), 'https://h/p?a=1');
  assert.equal(body.withQuery('https://h/p?x=0#top', { a: 1 }), 'https://h/p?x=0&a=1#top');
  assert.equal(body.withQuery('https://h/p#top', {}), 'https://h/p#top');
});

test('what a body is sent as', () => {
  assert.deepEqual(body.encode({ a: 1 }, ''), { body: 'a=1', type: 'application/x-www-form-urlencoded;charset=UTF-8' });
  assert.deepEqual(body.encode({ a: 1 }, 'application/json; charset=utf-8'), { body: '{"a":1}', type: 'application/json; charset=utf-8' });
  assert.deepEqual(body.encode('<x/>', 'text/xml'), { body: '<x/>', type: 'text/xml' });
  assert.equal(body.encode(new FormData(), 'text/plain').type, '');
});
