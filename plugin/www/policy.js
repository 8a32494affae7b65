'use strict';

// cordon.policy.explain: the engine itself, in the app. It is loaded at the
// first question, and only builds that carry it can answer.
const settings = require('./settings');

let loading = null;

/** The folder of cordova.js, which the engine's folder stands beside. */
function root() {
  const scripts = Array.from(document.scripts).map((s) => s.src);
  const own = scripts.find((src) => /\/cordova\.js([?#]|$)/.test(src));
  return own ? own.replace(/cordova\.js([?#].*)?$/, '') : new URL('./', document.baseURI).href;
}

function loadScript(src) {
  return new Promise((ok, fail) => {
    const script = document.createElement('script');
    script.src = src;
    script.onload = ok;
    script.onerror = () => fail(new Error(`${src} does not load`));
    document.head.appendChild(script);
  });
}

async function load() {
  const folder = `${root()}cordon/`;
  await loadScript(`${folder}wasm_exec.js`); // sets window.Go
  const response = await fetch(`${folder}inapp.wasm`);
  const go = new window.Go();
  const { instance } = await WebAssembly.instantiate(await response.arrayBuffer(), go.importObject);
  go.run(instance);
  return window.cordonEngine;
}

/**
 * Says what config.xml says about a URL: the verdict, the line that decided and
 * the reason, as cordon explain does.
 * @param {string} url exactly as it would be requested
 * @param {{kind?: string, platform?: string}} about
 */
async function explain(url, about = {}) {
  if (!settings.explain) {
    throw new Error('cordon.policy.explain: this build does not carry the engine: ' +
      'set <preference name="CordonExplain" value="always" /> and prepare again (without it, release builds leave it out)');
  }
  if (!loading) {
    loading = load();
    loading.catch(() => { loading = null; });
  }
  const engine = await loading;
  const answer = JSON.parse(engine.explain(settings.config, String(url), about.kind || '', about.platform || ''));
  if (answer.error) throw new Error(`cordon.policy.explain: ${answer.error}`);
  return answer;
}

module.exports = { explain };
