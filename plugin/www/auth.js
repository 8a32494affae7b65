'use strict';

// cordon.auth: holds the session token in memory, outside localStorage, where
// any script that slips into a page would find it, and attaches it to the app's
// own origins only. It is kept over restarts only in a store that the app
// hands in, such as the device's key store.
const hosts = require('./hosts');

const EARLY = 60 * 1000; // a token is refreshed this long before its end

let options = null; // { url, origins, scheme, store }
let session = null; // { token, userId }
let refreshing = null;
const listeners = new Set();

/** The origin of a URL that may carry a token, or ''. */
function secureOrigin(url) {
  const u = hosts.parse(url);
  return u && u.protocol === 'https:' && !u.username && !u.password ? u.origin : '';
}

/**
 * Says whose token this is.
 * @param {{url: string, origins?: string[], scheme?: 'zumo'|'bearer', store?: object}} wanted
 */
async function configure(wanted) {
  const origins = [wanted.url, ...(wanted.origins || [])].map((url) => {
    const origin = secureOrigin(url);
    if (!origin) throw new Error(`cordon.auth: ${url} is no https URL`);
    return origin;
  });
  if (wanted.scheme && wanted.scheme !== 'zumo' && wanted.scheme !== 'bearer') throw new Error('cordon.auth: scheme is "zumo" or "bearer"');
  options = { url: wanted.url.replace(/\/+$/, ''), origins, scheme: wanted.scheme || 'zumo', store: wanted.store || null };
  session = null;
  refreshing = null;
  if (options.store) {
    const kept = await options.store.get('session').catch(() => null); // nothing kept yet
    if (kept && !session) session = JSON.parse(kept);
  }
  return session !== null;
}

function needOptions() {
  if (!options) throw new Error('cordon.auth: call configure({url}) first');
}

async function set(token, userId) {
  needOptions();
  session = token ? { token, userId: userId || '' } : null;
  listeners.forEach((listener) => listener(session && session.userId));
  if (options.store) await (session ? options.store.set('session', JSON.stringify(session)) : options.store.remove('session').catch(() => undefined));
}

/** The end of a token in milliseconds; Infinity if it does not say. */
function expiry(token) {
  try {
    const part = token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/');
    const { exp } = JSON.parse(atob(part));
    return typeof exp === 'number' ? exp * 1000 : Infinity;
  } catch (err) {
    return Infinity;
  }
}

const asHeader = (token) => (options.scheme === 'bearer'
  ? { name: 'Authorization', value: `Bearer ${token}` }
  : { name: 'X-ZUMO-AUTH', value: token });

/** Asks for a new token, once however many wait for it. */
function refresh() {
  needOptions();
  if (!session) return Promise.reject(new Error('cordon.auth: nobody is signed in'));
  if (!refreshing) {
    const current = renew(session);
    const done = () => { if (refreshing === current) refreshing = null; };
    refreshing = current;
    current.then(done, done);
  }
  return refreshing;
}

async function renew(old) {
  const { name, value } = asHeader(old.token);
  const response = await fetch(`${options.url}/.auth/refresh`, { headers: { [name]: value }, redirect: 'error', credentials: 'omit' });
  if (response.status === 401 || response.status === 403) {
    if (session === old) await set(null);
    throw new Error('cordon.auth: the session has ended; sign in again');
  }
  if (!response.ok) throw new Error(`cordon.auth: the refresh failed with status ${response.status}`);
  const got = await response.json();
  if (!got.authenticationToken) throw new Error('cordon.auth: the refresh gave no token');
  // Whoever signed out or in meanwhile keeps what they have.
  if (session === old) await set(got.authenticationToken, (got.user && got.user.userId) || old.userId);
}

/**
 * The header that a request to a URL gets: {name, value}, or null where the URL
 * is not one of the app's own origins or nobody is signed in. A token near its
 * end is refreshed first; where that fails the old one is used while it lasts.
 */
async function header(url) {
  const origin = options && session ? secureOrigin(url) : '';
  if (!origin || !options.origins.includes(origin)) return null;
  const ends = expiry(session.token);
  if (ends - Date.now() < EARLY) {
    await refresh().catch((err) => { if (!session || ends <= Date.now()) throw err; });
  }
  return session ? asHeader(session.token) : null;
}

/**
 * Fetch with the token on the app's own origins. A redirect of such a request
 * is an error: it could take the token elsewhere. A 401 is answered by one
 * refresh and one more attempt, unless the body can be sent only once.
 */
async function authorized(input, init = {}) {
  const url = typeof input === 'string' ? input : input.url || String(input);
  const token = await header(url);
  if (!token) return fetch(input, init);
  const attempt = ({ name, value }) => {
    const headers = new Headers(init.headers || (typeof input === 'object' && input.headers) || {});
    headers.set(name, value);
    const request = typeof Request !== 'undefined' && input instanceof Request ? input.clone() : input;
    return fetch(request, { ...init, headers, redirect: 'error' });
  };
  const response = await attempt(token);
  const once = typeof ReadableStream !== 'undefined' && init.body instanceof ReadableStream;
  if (response.status !== 401 || once) return response;
  try {
    await refresh();
  } catch (err) {
    return response;
  }
  const next = await header(url);
  return next ? attempt(next) : response;
}

/** Signs in with what a provider's own SDK gave: App Service's client-directed flow. */
async function signIn(provider, credentials) {
  needOptions();
  const response = await fetch(`${options.url}/.auth/login/${encodeURIComponent(provider)}`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(credentials), redirect: 'error', credentials: 'omit',
  });
  if (!response.ok) throw new Error(`cordon.auth: the sign-in failed with status ${response.status}`);
  const got = await response.json();
  if (!got.authenticationToken) throw new Error('cordon.auth: the sign-in gave no token');
  await set(got.authenticationToken, got.user && got.user.userId);
  return user();
}

async function signOut() {
  needOptions();
  if (session) {
    const { name, value } = asHeader(session.token);
    await set(null);
    await fetch(`${options.url}/.auth/logout`, { headers: { [name]: value }, redirect: 'manual', credentials: 'omit' }).catch(() => undefined); // offline: the token is gone here
  }
}

const user = () => (session ? { userId: session.userId } : null);

/**
 * Makes a client of azure-mobile-apps-client use this session: what it sets as
 * its currentUser is kept here, and what it reads is always the current token.
 * The client must talk to one of the app's own origins.
 */
function attach(client) {
  needOptions();
  const url = client.applicationUrl || client.mobileAppUrl || '';
  if (!options.origins.includes(secureOrigin(url))) throw new Error(`cordon.auth: the client talks to ${url}, which is not one of the app's own origins`);
  const before = client.currentUser;
  Object.defineProperty(client, 'currentUser', {
    configurable: true,
    enumerable: true,
    get: () => (session ? { userId: session.userId, mobileServiceAuthenticationToken: session.token } : null),
    set: (value) => {
      set(value && value.mobileServiceAuthenticationToken, value && value.userId).catch((err) => console.error(err.message));
    },
  });
  if (before && !session) client.currentUser = before;
  return client;
}

/** Calls back with the user's id, or null, whenever it changes. */
function onChange(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** A store on cordova-plugin-secure-storage: the key store of the device. */
function secureStorage(name = 'cordon') {
  const plugins = typeof cordova !== 'undefined' && cordova.plugins;
  if (!plugins || !plugins.SecureStorage) throw new Error('cordon.auth: cordova-plugin-secure-storage is not installed');
  const opened = new Promise((ok, fail) => {
    const storage = new plugins.SecureStorage(() => ok(storage), fail, name);
  });
  const call = (method) => (...args) => opened.then((storage) => new Promise((ok, fail) => storage[method](ok, fail, ...args)));
  return { get: call('get'), set: call('set'), remove: call('remove') };
}

module.exports = { configure, signIn, signOut, set, user, header, fetch: authorized, refresh, attach, onChange, secureStorage };
