'use strict';

/**
 * Says what the command line is certain about: "debug", "release" or "". A
 * plain prepare may be followed by anything.
 */
function buildOf(context) {
  const options = (context.opts && context.opts.options) || {};
  const words = String(context.cmdLine || '').split(/\s+/);
  const says = (word) => options[word] === true || words.includes(`--${word}`);
  if (says('release')) return 'release';
  if (says('debug')) return 'debug';
  return words.some((word) => word === 'run' || word === 'emulate') ? 'debug' : '';
}

module.exports = { buildOf };
