'use strict';

// Reads what the engine looks at, and writes what it wants changed.
const fs = require('node:fs');
const path = require('node:path');

const LARGEST = (4 << 20) + 1; // one byte more than the engine reads, so that it can say so

/**
 * Where Capacitor keeps its platforms, from the project's folder on: android.path and
 * ios.path of its configuration, as it was evaluated. Without one the engine looks for it.
 */
function folders(root, { config = '' } = {}) {
  let evaluated;
  try {
    evaluated = JSON.parse(config) || {};
  } catch {
    return {}; // no Capacitor, or a configuration that it does not hand over
  }
  const list = {};
  for (const platform of ['android', 'ios']) {
    const written = (evaluated[platform] && evaluated[platform].path) || platform;
    list[platform] = path.relative(root, path.resolve(root, String(written))).split(path.sep).join('/') || '.';
  }
  return list;
}

/** The name of a file in a platform of Capacitor, where it stands in this project. */
function placed(name, list) {
  const top = name.split('/', 1)[0];
  return list[top] ? path.posix.join(list[top], name.slice(top.length + 1)) : name;
}

/** Reads files by name; those that are not there are left out. */
function add(files, root, name) {
  let handle;
  try {
    handle = fs.openSync(path.resolve(root, name), 'r');
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
    entries = fs.readdirSync(path.resolve(root, folder), { withFileTypes: true });
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

const COPIES = { android: 'android/app/src/main/assets/capacitor.config.json', ios: 'ios/App/App/capacitor.config.json' };
const CONFIGS = ['config.xml', 'www/config.xml', 'package.json', 'capacitor.config.ts', 'capacitor.config.js', 'capacitor.config.json'];

const PLATFORMS = ['android', 'ios', 'browser', 'electron', 'windows'];

/** The platforms' own packages, which say their versions. */
function addVersions(files, root) {
  for (const platform of PLATFORMS) add(files, root, `node_modules/cordova-${platform}/package.json`);
  for (const part of ['android', 'ios', 'core']) add(files, root, `node_modules/@capacitor/${part}/package.json`);
}

/** The lists and configurations of a project, the platforms' copies included. */
function addConfigs(files, root, list) {
  for (const name of CONFIGS) add(files, root, name);
  for (const name of Object.values(COPIES)) add(files, root, placed(name, list));
}

/**
 * What a check looks at: the project's own sources. Capacitor says where the pages
 * are and what its configuration comes to, which it is about to copy for the platform.
 */
function sources(root, { webDir = '', config = '', platform = '' } = {}) {
  const files = {};
  const list = folders(root, { config });
  addConfigs(files, root, list);
  addVersions(files, root);
  addBelow(files, root, 'www', isSource);
  const web = inProject(webDir) || webDirOf(files);
  if (web && web !== 'www') addBelow(files, root, web, isSource);
  const copy = COPIES[platform] && placed(COPIES[platform], list);
  if (config && copy && fs.existsSync(path.resolve(root, path.posix.dirname(copy)))) {
    files[copy] = new Uint8Array(Buffer.from(config));
  }
  return files;
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
  const list = folders(root, { config });
  addConfigs(files, root, list);
  addVersions(files, root);
  addBelow(files, root, 'www/certificates', isSource);
  for (const web of WEB.map((name) => placed(name, list))) {
    addBelow(files, root, web, (name) => isAsset(name) || isPage(name) && !name.startsWith(web + '/plugins/'));
  }
  for (const name of NATIVE) {
    add(files, root, `platforms/android/app/src/main/${name}`);
    add(files, root, placed(`android/app/src/main/${name}`, list));
  }
  addBelow(files, root, 'platforms/ios', (name) => /^platforms\/ios\/[^/]+\/[^/]+-Info\.plist$/.test(name));
  add(files, root, placed('ios/App/App/Info.plist', list));
  return files;
}

/** The file of a name, which must be below the root. */
function below(root, name) {
  const target = path.resolve(root, name);
  if (!target.startsWith(path.resolve(root) + path.sep)) throw new Error(`${name} is not in the project`);
  return target;
}

/** Writes one file whole or not at all, and nowhere but below the root. */
function write(root, name, content) {
  const target = below(root, name);
  fs.mkdirSync(path.dirname(target), { recursive: true });
  const temporary = `${target}.cordon-new`;
  fs.writeFileSync(temporary, content);
  fs.renameSync(temporary, target);
}

/** Copies a file unless the same is there already. */
function copy(from, root, name) {
  const to = below(root, name);
  const now = fs.statSync(to, { throwIfNoEntry: false });
  const wanted = fs.statSync(from);
  if (now && now.size === wanted.size && now.mtimeMs >= wanted.mtimeMs) return;
  fs.mkdirSync(path.dirname(to), { recursive: true });
  fs.copyFileSync(from, to);
}

module.exports = { folders, sources, prepared, write, copy };
