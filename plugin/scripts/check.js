'use strict';

// before_prepare: the only hook that still runs when an entry makes a
// platform's own prepare fail.
const steps = require('./steps.js');

module.exports = (context) => steps.check(context.opts.projectRoot);
