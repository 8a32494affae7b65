'use strict';

// after_prepare: the platforms' files are written and stay until the next
// prepare, which runs this again.
const steps = require('./steps.js');
const { buildOf } = require('./build-kind.js');

module.exports = (context) => steps.exports(context.opts.projectRoot, {
  build: buildOf(context),
  verbose: Boolean(context.opts.verbose),
});
