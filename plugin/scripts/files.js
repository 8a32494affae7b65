'use strict';

// Reads what the engine looks at, and writes what it wants changed.
const fs = require('node:fs');
const path = require('node:path');

const LARGEST = (4 << 20) + 1; // one byte more than the engine reads, so that it can say so

/** Reads files by name; those that are not there are left out. */
function add(files, root, name) {
  let handle;
  try {
    handle = fs.openSync(path.join(root, name), 'r');
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
function addBelow(files, root, folder, fits) {
  let entries;
  try {
    entries = fs.readdirSync(path.join(root, folder), { withFileTypes: true });
  } catch (err) {
    if (err.code === 'ENOENT' || err.code === 'ENOTDIR') return;
    throw err;
  }
  for (const entry of entries) {
    const name = `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      if (entry.name !== 'node_modules' && !entry.name.startsWith('.')) addBelow(files, root, name, fits);
    } else if (fits(name)) {
      add(files, root, name);
    }
  }
}

const isPage = (name) => /\.x?html?$/i.test(name);
const isAsset = (name) => /\.(m?js|css)$/i.test(name);
const isSource = (name) => isPage(name) || /\.m?js$/i.test(name) || /\/certificates\/[^/]*\.cer$/i.test(name);

const CONFIGS = ['config.xml', 'www/config.xml', 'package.json', 'capacitor.config.json',
  'android/app/src/main/assets/capacitor.config.json', 'ios/App/App/capacitor.config.json'];

const PLATFORMS = ['android', 'ios', 'browser', 'electron', 'windows'];

/** What a check looks at: the project's own sources. */
function sources(root) {
  const files = {};
  for (const name of CONFIGS) add(files, root, name);
  for (const platform of PLATFORMS) add(files, root, `node_modules/cordova-${platform}/package.json`);
  addBelow(files, root, 'www', isSource);
  const web = webDir(files);
  if (web && web !== 'www') addBelow(files, root, web, isSource);
  return files;
}

function webDir(files) {
  try {
    const { webDir } = JSON.parse(Buffer.from(files['capacitor.config.json']).toString());
    return typeof webDir === 'string' && /^[\w@-][\w@./-]*$/.test(webDir) && !webDir.split('/').includes('..') ? webDir.replace(/\/+$/, '') : '';
  } catch {
    return ''; // no file, or one that the check itself will complain about
  }
}

const WEB = ['platforms/android/app/src/main/assets/www', 'platforms/ios/www', 'platforms/browser/www', 'platforms/electron/www',
  'android/app/src/main/assets/public', 'ios/App/App/public'];
const NATIVE = ['AndroidManifest.xml', 'res/xml/network_security_config.xml'];

/** What the exports look at: the policy, and the prepared platforms. */
function prepared(root) {
  const files = {};
  for (const name of CONFIGS) add(files, root, name);
  for (const platform of PLATFORMS) add(files, root, `node_modules/cordova-${platform}/package.json`);
  addBelow(files, root, 'www/certificates', isSource);
  for (const web of WEB) {
    addBelow(files, root, web, (name) => isAsset(name) || isPage(name) && !name.startsWith(web + '/plugins/'));
  }
  for (const name of NATIVE) {
    add(files, root, `platforms/android/app/src/main/${name}`);
    add(files, root, `android/app/src/main/${name}`);
  }
  addBelow(files, root, 'platforms/ios', (name) => /^platforms\/ios\/[^/]+\/[^/]+-Info\.plist$/.test(name));
  add(files, root, 'ios/App/App/Info.plist');
  return files;
}

/** Writes one file whole or not at all, and nowhere but below the root. */
function write(root, name, content) {
  const target = path.resolve(root, name);
  if (!target.startsWith(path.resolve(root) + path.sep)) throw new Error(`${name} is not in the project`);
  fs.mkdirSync(path.dirname(target), { recursive: true });
  const temporary = `${target}.cordon-new`;
  fs.writeFileSync(temporary, content);
  fs.renameSync(temporary, target);
}

/** Copies a file unless the same is there already. */
function copy(from, to) {
  const now = fs.statSync(to, { throwIfNoEntry: false });
  const wanted = fs.statSync(from);
  if (now && now.size === wanted.size && now.mtimeMs >= wanted.mtimeMs) return;
  fs.mkdirSync(path.dirname(to), { recursive: true });
  fs.copyFileSync(from, to);
}

module.exports = { sources, prepared, write, copy };
