'use strict';

// The two steps, for Cordova's hooks and Capacitor's.
const path = require('node:path');
const engine = require('./engine.js');
const files = require('./files.js');

const order = ['critical', 'high', 'medium', 'low', 'info'];

/**
 * Checks a project; findings that stop the build end in an error. evaluated is what
 * Capacitor made of its configuration, see files.sources.
 */
async function check(root, { log = console.log, evaluated = {} } = {}) {
  const { findings } = await engine.ask('check', files.sources(root, evaluated), {});
  const stopping = findings.filter((f) => f.stops);
  const others = findings.filter((f) => !f.stops && f.severity !== 'info');
  if (stopping.length === 0) {
    if (others.length > 0) log(`Cordon: ${others.length} finding${others.length > 1 ? 's' : ''} below the level that stops the build (${worst(others)}); cordon check shows them`);
    return;
  }
  throw engine.failure(`${stopping.length} finding${stopping.length > 1 ? 's stop' : ' stops'} the build\n\n${stopping.map(describe).join('\n\n')}\n\n` +
    'Repair them, answer one with <!-- cordon:ignore RULE the reason --> in config.xml,\nor set the level with <preference name="CordonFailOn" value="critical" />.');
}

const worst = (list) => order.find((severity) => list.some((f) => f.severity === severity));

function describe(f) {
  const where = f.file ? `${f.file}:${f.line}:${f.column}: ` : '';
  return `${where}${f.severity}: ${f.message} [${f.rule}]\n  remedy: ${f.remedy}`;
}

/** Writes the policy into every prepared platform. */
async function exports_(root, { build = '', log = console.log, verbose = false, evaluated = {} } = {}) {
  const answer = await engine.ask('exports', files.prepared(root, evaluated), { build });
  for (const { name, content } of answer.changes) files.write(root, evaluated, name, Buffer.from(content, 'base64'));
  for (const folder of answer.engines) {
    for (const name of ['inapp.wasm', 'wasm_exec.js']) files.copy(path.join(engine.dist, name), root, evaluated, `${folder}/${name}`);
  }
  report(answer, log, verbose);
  return answer;
}

/**
 * Says what the exports could not say. What a page will miss, and what its
 * policy grants it, is said every time, once for all platforms; the rest only
 * when asked.
 */
function report({ losses, platforms, changes }, log, verbose) {
  const told = new Set();
  for (const loss of losses) {
    const line = `Cordon: ${loss.format}: ${loss.line ? `config.xml:${loss.line}: ` : ''}${loss.rule ? loss.rule + ': ' : ''}${loss.message}`
      .replace(/platforms\/[^:\s]*?\/www\//g, 'www/').replace(/[^:\s]*(app\/src\/main\/assets|App\/App)\/public\//g, 'public/');
    if ((verbose || !loss.line) && !told.has(line)) {
      told.add(line);
      log(line);
    }
  }
  if (verbose) log(`Cordon: ${changes.length} files written for ${platforms.join(', ') || 'no platform'}`);
}

module.exports = { check, exports: exports_ };
