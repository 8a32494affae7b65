'use strict';

// Which hosts the platform pins for us, from what the hook after each prepare
// wrote. Hosts are compared as the web view itself reads them: the one that
// URL says is the one that fetch connects to.
const settings = require('./settings');

/** Reads a URL as fetch will; null for what is none. */
function parse(url) {
  try {
    return new URL(url, typeof location === 'undefined' ? undefined : location.href);
  } catch (err) {
    return null;
  }
}

const under = (host, name) => host === name || host.endsWith('.' + name);

/**
 * Says why a URL is not pinned, or '' if it is. A name's own pins count before
 * those of a name above it; a host whose pins have all expired is closed.
 */
function unpinned(url, now) {
  const u = parse(url);
  if (!u) return 'the URL cannot be read';
  if (u.protocol !== 'https:') return `pinning is on and ${u.protocol}//${u.host} is not https`;
  const host = u.hostname.replace(/\.$/, '').toLowerCase();
  const binding = settings.pins.filter((p) => p.host === host || (p.subdomains && under(host, p.host)));
  if (binding.length === 0) return `pinning is on and ${host} has no <cordon:pin> in config.xml`;
  const nearest = Math.max.apply(null, binding.map((p) => p.host.length));
  const live = binding.filter((p) => p.host.length === nearest && (!p.expires || now < Date.parse(p.expires + 'T00:00:00Z')));
  return live.length > 0 ? '' : `the pins of ${host} have expired`;
}

module.exports = { parse, unpinned };
