'use strict';

// Parameters as cordova-plugin-http sends them: in the query of requests
// without a body, as a form in the others. Lists become name[]=…, objects
// name[key]=….

function pairs(params, name, list) {
  if (params === undefined || params === null) return list;
  if (Array.isArray(params)) {
    params.forEach((value) => pairs(value, `${name}[]`, list));
  } else if (typeof params === 'object') {
    Object.keys(params).forEach((key) => pairs(params[key], name ? `${name}[${key}]` : key, list));
  } else {
    list.push([name, String(params)]);
  }
  return list;
}

function form(params) {
  return pairs(params, '', []).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&');
}

/** Puts parameters into a URL, in front of its fragment. */
function withQuery(url, params) {
  const query = form(params);
  if (!query) return url;
  const at = url.indexOf('#');
  const base = at < 0 ? url : url.slice(0, at);
  return base + (base.includes('?') ? '&' : '?') + query + (at < 0 ? '' : url.slice(at));
}

/**
 * Makes the body of a request and the Content-Type that goes with it, '' where
 * the browser sets it. A string, a Blob and a FormData go as they are; where
 * the caller says application/json, so do parameters.
 */
function encode(params, contentType) {
  if (typeof params === 'string') return { body: params, type: contentType || 'text/plain;charset=UTF-8' };
  if (typeof Blob !== 'undefined' && params instanceof Blob) return { body: params, type: contentType || params.type };
  if (typeof FormData !== 'undefined' && params instanceof FormData) return { body: params, type: '' };
  if (/^application\/json\b/i.test(contentType)) return { body: JSON.stringify(params), type: contentType };
  return { body: form(params), type: contentType || 'application/x-www-form-urlencoded;charset=UTF-8' };
}

module.exports = { form, withQuery, encode, pairs };
