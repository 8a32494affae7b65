'use strict';

// Capacitor's command line runs the npm scripts capacitor:sync:before and the
// like, of the app and of its plugins, with the app's folder in a variable.
const { existsSync } = require('node:fs');
const path = require('node:path');
const steps = require('./steps.js');
const { failure } = require('./engine.js');
const { endCapacitor } = require('./capacitor-end.js');

const root = process.env.CAPACITOR_ROOT_DIR || process.env.INIT_CWD || process.cwd();
const platform = process.env.CAPACITOR_PLATFORM_NAME || '';

/** The configuration as Capacitor evaluated it: where the pages are, and what it writes for the platform. */
function evaluated() {
  const { CAPACITOR_WEB_DIR: webDir, CAPACITOR_CONFIG: config } = process.env;
  return { webDir: webDir ? path.relative(root, webDir).split(path.sep).join('/') : '', config: config || '', platform };
}

/** The configuration as Capacitor evaluated it; it hands over one that is JSON. */
function parsed(config) {
  try {
    return JSON.parse(config) || {};
  } catch {
    return {};
  }
}

/** Whether the configuration names a server for the pages. */
const liveReload = (config) => Boolean(parsed(config).server && parsed(config).server.url);

/** Whether a platform was added, whose own turn checks the project: "web" comes after them. */
function checkedBefore(config) {
  const { android, ios } = parsed(config);
  return platform === 'web' && [(android && android.path) || 'android', (ios && ios.path) || 'ios'].some((dir) => existsSync(path.join(root, dir)));
}

/** The check, unless it was made for another platform just now. */
function check(log) {
  const given = evaluated();
  return checkedBefore(given.config) ? Promise.resolve() : steps.check(root, { evaluated: given, log });
}

/** Writes the policy into the platforms; whether the one that the hook is for has pages with it. */
async function written() {
  const given = evaluated();
  const { platforms } = await steps.exports(root, { evaluated: given });
  if (!['android', 'ios'].includes(platform) || platforms.includes(platform)) return true;
  return liveReload(given.config); // the pages are a server's, and none may have been copied
}

/** After a copy: the platform that was just copied must have the policy. */
async function exports_() {
  if (await written()) return;
  throw failure(`no pages of ${platform} were found where cap copy puts them, so that they have no policy; the folder of the platform must be below the project's`);
}

/**
 * After an update, which copies no pages: in a fresh clone there are none, for they
 * are not kept in version control. The copy that brings them is checked by itself.
 */
async function update() {
  if (await written()) return;
  console.log(`Cordon: ${platform} has no copied pages yet; npx cap copy ${platform} brings them, with their policy`);
}

const quiet = () => {};
const step = {
  // Before a sync: the same check runs once more before the copy, and then says what it found.
  begin: () => check(quiet),
  check: () => check(undefined),
  // "web" has no copy of its own: what is built for it is the project's own folder.
  export: () => platform === 'web' ? Promise.resolve() : exports_(),
  update: () => platform === 'web' ? Promise.resolve() : update(),
}[process.argv[2]];

if (!step) {
  console.error('usage: node capacitor.js begin|check|export|update');
  process.exit(2);
}
step().then(() => process.exit(0), (err) => {
  console.error(err.message);
  endCapacitor();
  process.exit(1);
});
