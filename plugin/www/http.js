'use strict';

// cordovaHTTP: the interface of cordova-plugin-http, on fetch. The platform's
// own pins hold underneath (docs/guide/plugin.md), so that the same pins bind
// the whole web view. Every method takes callbacks, returns a promise, or both.
const settings = require('./settings');
const hosts = require('./hosts');
const bodies = require('./body');
const auth = require('./auth');

const headers = {}; // of every host, as setHeader says
const state = { pinning: false, refusal: '' };

/** A failure as the plugin gives it; it is an Error as well. */
function failure(status, message, more) {
  return Object.assign(new Error(message), { status, error: message, headers: {} }, more);
}

/** Gives a promise's outcome to callbacks, too. */
function settle(promise, success, fail) {
  if (typeof success === 'function' || typeof fail === 'function') {
    promise.then((value) => success && success(value), (err) => fail && fail(err));
  }
  return promise;
}

const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
const basic = (user, password) => ({ Authorization: `Basic ${base64(`${user}:${password}`)}` });

function merged(own) {
  const all = new Headers(headers);
  Object.keys(own || {}).forEach((name) => all.set(name, own[name]));
  return all;
}

/** Says why a request may not leave, or ''. */
function refused(url) {
  const u = hosts.parse(url);
  if (!u || (u.protocol !== 'https:' && u.protocol !== 'http:')) return `${String(url).split(/[?#]/)[0]} is no http or https URL`;
  if (u.username || u.password) return 'a URL with a user name or password is refused: use useBasicAuth';
  if (!state.pinning) return '';
  return state.refusal || hosts.unpinned(url, Date.now());
}

// The reason why a fetch failed is kept from pages; these are what it can be.
const UNREACHED = 'the request failed: no network, a certificate or pin that does not fit, a host that the app may not reach ' +
  '(Content-Security-Policy), a redirect while pinning is on, or a server that does not allow the app by CORS ' +
  '(Access-Control-Allow-Origin), which native plugins did not need';

async function send(method, url, own, body, read) {
  const why = refused(url);
  if (why) throw failure(0, why);
  const all = merged(own);
  if (body && body.type) all.set('Content-Type', body.type);
  if (body && !body.type) all.delete('Content-Type'); // the browser adds the boundary
  const token = await auth.header(url).catch((err) => { throw failure(0, err.message, { cause: err }); });
  if (token && !all.has(token.name)) all.set(token.name, token.value);
  let response;
  try {
    // A redirect could lead to a host without pins, or take a token along.
    const redirect = state.pinning || token ? 'error' : 'follow';
    response = await fetch(url, { method, headers: all, body: body && body.body, redirect, credentials: 'same-origin' });
  } catch (err) {
    throw failure(0, UNREACHED, { cause: err });
  }
  return outcome(response, read);
}

async function outcome(response, read) {
  const got = {};
  response.headers.forEach((value, name) => { got[name] = value; });
  if (!response.ok) {
    throw failure(response.status, (await response.text()) || `HTTP status ${response.status}`, { headers: got });
  }
  return Object.assign({ status: response.status, headers: got }, await read(response));
}

const text = async (response) => ({ data: await response.text() });
const typeOf = (own) => merged(own).get('Content-Type') || '';

function inQuery(method) {
  return (url, params, own, success, fail) => settle(send(method, bodies.withQuery(String(url), params), own, null, text), success, fail);
}

function inBody(method) {
  return (url, params, own, success, fail) => settle(send(method, String(url), own, bodies.encode(params, typeOf(own)), text), success, fail);
}

/** Reads a file that a path or URL of the device names, as a Blob. */
async function readFile(path) {
  if (typeof Blob !== 'undefined' && path instanceof Blob) return path;
  if (typeof window !== 'undefined' && window.resolveLocalFileSystemURL && !/^(blob|data|https?):/.test(path)) {
    const entry = await new Promise((ok, fail) => window.resolveLocalFileSystemURL(path, ok, fail));
    return new Promise((ok, fail) => entry.file(async (file) => {
      // The plugin's File is none of the browser's: read it by its reader.
      const reader = new FileReader();
      reader.onload = () => ok(new Blob([reader.result], { type: file.type || 'application/octet-stream' }));
      reader.onerror = () => fail(reader.error);
      reader.readAsArrayBuffer(file);
    }, fail));
  }
  const response = await fetch(path);
  return response.blob();
}

async function upload(url, params, own, path, name) {
  const why = refused(url);
  if (why) throw failure(0, why);
  let file;
  try {
    file = await readFile(path);
  } catch (err) {
    throw failure(0, `the file ${path} cannot be read`, { cause: err });
  }
  const data = new FormData();
  bodies.pairs(params, '', []).forEach(([key, value]) => data.append(key, value));
  data.append(name || 'file', file, String(path.name || path).split(/[\\/]/).pop().split(/[?#]/)[0] || 'file');
  return send('POST', url, own, { body: data, type: '' }, text);
}

/** Writes a Blob to a path of the device, and returns its FileEntry. */
async function writeFile(path, blob) {
  const at = path.lastIndexOf('/');
  if (typeof window === 'undefined' || !window.resolveLocalFileSystemURL || at < 0) {
    throw failure(0, 'downloadFile needs cordova-plugin-file and the whole path of the file, such as cordova.file.dataDirectory + "name"');
  }
  const folder = await new Promise((ok, fail) => window.resolveLocalFileSystemURL(path.slice(0, at + 1), ok, fail));
  const entry = await new Promise((ok, fail) => folder.getFile(path.slice(at + 1), { create: true }, ok, fail));
  await new Promise((ok, fail) => entry.createWriter((writer) => {
    writer.onwriteend = ok;
    writer.onerror = fail;
    writer.write(blob);
  }, fail));
  return entry;
}

async function download(url, params, own, path) {
  const got = await send('GET', bodies.withQuery(String(url), params), own, null, async (response) => ({ blob: await response.blob() }));
  return writeFile(String(path), got.blob);
}

const UNVERIFIED = {
  unverified: 'the iOS web view is not known to enforce pins (NSPinnedDomains binds native requests only), so pinning cannot be promised: ' +
    'send these requests through a gateway, or call enableSSLPinning(false) to go on without',
  none: 'nothing enforces pins on this platform: call enableSSLPinning(false) to go on without',
};

/**
 * Turns pinning on or off. While it is on, a request to a host without pins
 * fails; where pins cannot be promised, it fails here, and so does every
 * request until it is turned off.
 */
async function enableSSLPinning(enable) {
  state.pinning = Boolean(enable);
  state.refusal = '';
  if (!enable) return undefined;
  if (settings.enforced !== 'native') {
    state.refusal = UNVERIFIED[settings.enforced] || UNVERIFIED.none;
  } else if (settings.pins.length === 0) {
    state.refusal = 'pinning is on and config.xml has no <cordon:pin>';
  }
  if (state.refusal) throw failure(0, state.refusal);
  return undefined;
}

/** A switch that weakens TLS: refused but in builds that are for debugging. */
function weakening(name, weaker) {
  return async (value) => {
    if (Boolean(value) !== weaker) return undefined;
    if (!settings.debug) throw failure(0, `${name}(${value}) is refused: it would switch certificate checks off, and this is no debug build`);
    console.warn(`cordovaHTTP.${name}(${value}): the web view's own checks stay on; in debug builds Android also trusts authorities that the user installed`);
    return undefined;
  };
}

const acceptAllCerts = weakening('acceptAllCerts', true);
const validateDomainName = weakening('validateDomainName', false);

const http = {
  getBasicAuthHeader: basic,
  useBasicAuth(user, password) { Object.assign(headers, basic(user, password)); },
  setHeader(name, value) {
    if (value === null || value === undefined) delete headers[name];
    else headers[name] = value;
  },
  enableSSLPinning: (enable, success, fail) => settle(enableSSLPinning(enable), success, fail),
  acceptAllCerts: (allow, success, fail) => settle(acceptAllCerts(allow), success, fail),
  validateDomainName: (validate, success, fail) => settle(validateDomainName(validate), success, fail),
  get: inQuery('GET'),
  head: inQuery('HEAD'),
  delete: inQuery('DELETE'),
  post: inBody('POST'),
  put: inBody('PUT'),
  patch: inBody('PATCH'),
  uploadFile: (url, params, own, path, name, success, fail) => settle(upload(String(url), params, own, path, name), success, fail),
  downloadFile: (url, params, own, path, success, fail) => settle(download(url, params, own, path), success, fail),
};

module.exports = http;

// With AngularJS the plugin is a service whose promises take part in digests.
if (typeof angular !== 'undefined') {
  angular.module('cordovaHTTP', []).factory('cordovaHTTP', ['$q', ($q) => {
    const service = {};
    Object.keys(http).forEach((name) => {
      service[name] = (...args) => {
        const result = http[name](...args);
        return result && typeof result.then === 'function' ? $q((ok, fail) => { result.then(ok, fail); }) : result;
      };
    });
    return service;
  }]);
}
