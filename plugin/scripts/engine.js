'use strict';

// The engine, loaded once per process: the hooks before and after a prepare
// run in the same one.
const fs = require('node:fs');
const path = require('node:path');

const dist = path.join(__dirname, '..', 'dist');
const key = Symbol.for('cordova-plugin-cordon.engine');

async function start() {
  if (!fs.existsSync(path.join(dist, 'engine.wasm'))) throw failure('the engine is not built: run make plugin in the checkout, or add the published package');
  require(path.join(dist, 'wasm_exec.js')); // sets globalThis.Go
  const go = new globalThis.Go();
  const code = fs.readFileSync(path.join(dist, 'engine.wasm'));
  const { instance } = await WebAssembly.instantiate(code, go.importObject);
  go.run(instance).catch((err) => { throw err; }); // returns when the engine waits for calls
  const engine = globalThis.cordonEngine;
  delete globalThis.cordonEngine;
  return engine;
}

/**
 * Asks the engine.
 * @param {'check'|'exports'} what
 * @param {Object<string, Uint8Array>} files by their names in the project
 * @param {object} question
 */
async function ask(what, files, question) {
  globalThis[key] = globalThis[key] || start();
  const engine = await globalThis[key];
  const answer = JSON.parse(engine[what](files, JSON.stringify({ now: Math.floor(Date.now() / 1000), ...question })));
  if (answer.error) {
    const where = answer.file ? `${answer.file}${answer.line ? ':' + answer.line : ''}: ` : '';
    throw failure(answer.error.startsWith(where) ? answer.error : where + answer.error);
  }
  return answer;
}

/** An error whose message is all that a person should see. */
function failure(message) {
  const err = new Error(`Cordon: ${message}`);
  err.name = 'CordonError';
  err.stack = err.message;
  return err;
}

module.exports = { ask, failure, dist };
