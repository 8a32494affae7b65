'use strict';

// Reads what the engine looks at, and writes what it wants changed.
const fs = require('node:fs');
const path = require('node:path');

const LARGEST = (4 << 20) + 1; // one byte more than the engine reads, so that it can say so

/** The folders that android.path and ios.path of Capacitor's configuration, as it was evaluated, put its platforms into. */
function moves(config) {
  const moved = {};
  try {
    const evaluated = JSON.parse(config);
    for (const platform of ['android', 'ios']) {
      const dir = evaluated[platform] && evaluated[platform].path;
      const folder = dir ? path.posix.normalize(String(dir).split(path.sep).join('/')).replace(/\/+$/, '') : platform;
      if (folder !== platform) moved[platform] = folder;
    }
  } catch {
    // no Capacitor, or a configuration that it does not hand over
  }
  return moved;
}

const isMoved = (moved, name) => Object.values(moved).some((dir) => name.startsWith(`${dir}/`));

/** Where a file is by its name below android/ or ios/, once the platform was moved. */
function movedName(moved, name) {
  const top = name.split('/', 1)[0];
  return moved[top] && !isMoved(moved, name) ? path.posix.join(moved[top], name.slice(top.length + 1)) : name;
}

/** Where the files of a project are, by their usual names or by those that they have once the platform was moved. */
function placed(root, config) {
  const moved = moves(config);
  return (name) => path.resolve(root, movedName(moved, name));
}

/**
 * Gives the files of a platform that was moved their own names besides the usual ones:
 * the engine looks where the configuration says, as far as it can read that.
 */
function named(files, config) {
  const moved = moves(config);
  for (const name of Object.keys(files)) {
    const own = movedName(moved, name);
    if (!own.startsWith('../') && !path.isAbsolute(own)) files[own] = files[name];
  }
  return files;
}

/** Reads files by name; those that are not there are left out. */
function add(files, at, name) {
  let handle;
  try {
    handle = fs.openSync(at(name), 'r');
    const size = fs.fstatSync(handle).size;
    const data = Buffer.alloc(Math.min(size, LARGEST));
    const length = fs.readSync(handle, data, 0, data.length, 0);
    files[name] = new Uint8Array(data.buffer, data.byteOffset, length);
  } catch (err) {
    if (err.code !== 'ENOENT' && err.code !== 'ENOTDIR' && err.code !== 'EISDIR') throw err;
  } finally {
    if (handle !== undefined) fs.closeSync(handle);
  }
}

/** Reads the files below a folder whose names fit. */
function addBelow(files, at, folder, fits) {
  let entries;
  try {
    entries = fs.readdirSync(at(folder), { withFileTypes: true });
  } catch (err) {
    if (err.code === 'ENOENT' || err.code === 'ENOTDIR') return;
    throw err;
  }
  for (const entry of entries) {
    const name = `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      if (entry.name !== 'node_modules' && !entry.name.startsWith('.')) addBelow(files, at, name, fits);
    } else if (fits(name)) {
      add(files, at, name);
    }
  }
}

const isPage = (name) => /\.x?html?$/i.test(name);
const isAsset = (name) => /\.(m?js|css)$/i.test(name);
const isSource = (name) => isPage(name) || /\.m?js$/i.test(name) || /\/certificates\/[^/]*\.cer$/i.test(name);

const COPIES = { android: 'android/app/src/main/assets/capacitor.config.json', ios: 'ios/App/App/capacitor.config.json' };
const CONFIGS = ['config.xml', 'www/config.xml', 'package.json', 'capacitor.config.ts', 'capacitor.config.js', 'capacitor.config.json',
  ...Object.values(COPIES)];

const PLATFORMS = ['android', 'ios', 'browser', 'electron', 'windows'];

/** The platforms' own packages, which say their versions. */
function addVersions(files, at) {
  for (const platform of PLATFORMS) add(files, at, `node_modules/cordova-${platform}/package.json`);
  for (const part of ['android', 'ios', 'core']) add(files, at, `node_modules/@capacitor/${part}/package.json`);
}

/**
 * What a check looks at: the project's own sources. Capacitor says where the pages
 * are and what its configuration comes to, which it is about to copy for the platform.
 */
function sources(root, { webDir = '', config = '', platform = '' } = {}) {
  const files = {};
  const at = placed(root, config);
  for (const name of CONFIGS) add(files, at, name);
  addVersions(files, at);
  addBelow(files, at, 'www', isSource);
  const web = inProject(webDir) || webDirOf(files);
  if (web && web !== 'www') addBelow(files, at, web, isSource);
  if (config && COPIES[platform] && fs.existsSync(path.dirname(at(COPIES[platform])))) {
    files[COPIES[platform]] = new Uint8Array(Buffer.from(config));
  }
  return named(files, config);
}

/** A folder below the project's, '' for any other. */
function inProject(name) {
  return typeof name === 'string' && /^[\w@-][\w@./ -]*$/.test(name) && !name.split('/').includes('..') ? name.replace(/\/+$/, '') : '';
}

function webDirOf(files) {
  try {
    return inProject(JSON.parse(Buffer.from(files['capacitor.config.json']).toString()).webDir);
  } catch {
    return ''; // no file, or one that the check itself will complain about
  }
}

const WEB = ['platforms/android/app/src/main/assets/www', 'platforms/ios/www', 'platforms/browser/www', 'platforms/electron/www',
  'android/app/src/main/assets/public', 'ios/App/App/public'];
const NATIVE = ['AndroidManifest.xml', 'res/xml/network_security_config.xml'];

/** What the exports look at: the policy, and the prepared platforms. */
function prepared(root, { config = '' } = {}) {
  const files = {};
  const at = placed(root, config);
  for (const name of CONFIGS) add(files, at, name);
  addVersions(files, at);
  addBelow(files, at, 'www/certificates', isSource);
  for (const web of WEB) {
    addBelow(files, at, web, (name) => isAsset(name) || isPage(name) && !name.startsWith(web + '/plugins/'));
  }
  for (const name of NATIVE) {
    add(files, at, `platforms/android/app/src/main/${name}`);
    add(files, at, `android/app/src/main/${name}`);
  }
  addBelow(files, at, 'platforms/ios', (name) => /^platforms\/ios\/[^/]+\/[^/]+-Info\.plist$/.test(name));
  add(files, at, 'ios/App/App/Info.plist');
  return named(files, config);
}

/** Writes one file whole or not at all, and nowhere but below the root. */
function write(root, { config = '' }, name, content) {
  const target = placed(root, config)(name);
  if (!target.startsWith(path.resolve(root) + path.sep)) throw new Error(`${name} is not in the project`);
  fs.mkdirSync(path.dirname(target), { recursive: true });
  const temporary = `${target}.cordon-new`;
  fs.writeFileSync(temporary, content);
  fs.renameSync(temporary, target);
}

/** Copies a file unless the same is there already. */
function copy(from, root, { config = '' }, name) {
  const to = placed(root, config)(name);
  const now = fs.statSync(to, { throwIfNoEntry: false });
  const wanted = fs.statSync(from);
  if (now && now.size === wanted.size && now.mtimeMs >= wanted.mtimeMs) return;
  fs.mkdirSync(path.dirname(to), { recursive: true });
  fs.copyFileSync(from, to);
}

module.exports = { sources, prepared, write, copy };
