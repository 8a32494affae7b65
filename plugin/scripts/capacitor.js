'use strict';

// Capacitor's command line runs the npm scripts capacitor:copy:before and the
// like, of the app and of its plugins, with the app's folder in a variable.
const steps = require('./steps.js');

const root = process.env.CAPACITOR_ROOT_DIR || process.env.INIT_CWD || process.cwd();
const step = { check: steps.check, export: steps.exports }[process.argv[2]];

if (!step) {
  console.error('usage: node capacitor.js check|export');
  process.exit(2);
}
step(root).then(() => process.exit(0), (err) => {
  console.error(err.message);
  process.exit(1);
});
