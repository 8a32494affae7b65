import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'node:test';

const require = createRequire(import.meta.url);
const steps = require('../scripts/steps.js');
const { buildOf } = require('../scripts/build-kind.js');

function project(files) {
  const root = mkdtempSync(join(tmpdir(), 'cordon-'));
  test.after(() => rmSync(root, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  return root;
}

const widget = (body) => `<?xml version="1.0"?>\n<widget xmlns:cordon="urn:cordon:1" id="a.b" version="1.0.0">\n${body}\n</widget>\n`;
const page = '<!doctype html><html><head><title>t</title></head><body></body></html>';
const manifest = '<manifest xmlns:android="http://schemas.android.com/apk/res/android"><application android:label="a" android:supportsRtl="true"></application></manifest>';

test('a finding stops the build with its line and remedy', async () => {
  const root = project({ 'config.xml': widget('<engine name="ios" spec="8.1.1"/>\n<access origin="*.google.*"/>'), 'www/index.html': page });
  await assert.rejects(steps.check(root, { log() {} }), (err) => /config\.xml:4:1: high: .*\[prepare-fails\]\n {2}remedy: /.test(err.message));
});

test('the level is a preference', async () => {
  const body = '<engine name="android" spec="15.1.0"/>\n<access origin="*"/>';
  await assert.rejects(steps.check(project({ 'config.xml': widget(body) }), { log() {} }), /access-catch-all/);
  const said = [];
  await steps.check(project({ 'config.xml': widget(`<preference name="CordonFailOn" value="critical"/>\n${body}`) }), { log: (line) => said.push(line) });
  assert.match(said[0], /below the level/);
  await assert.rejects(steps.check(project({ 'config.xml': widget('<preference name="CordonFailOn" value="loud"/>') }), { log() {} }), /CordonFailOn.*critical/);
});

test('a config.xml that cannot be read stops the build with its line', async () => {
  await assert.rejects(steps.check(project({ 'config.xml': '<widget>\n<access\n</widget>' }), { log() {} }), /config\.xml:[23]:/);
});

test('what pages need is granted and said once for all platforms', async () => {
  const android = 'platforms/android/app/src/main/assets/www';
  const ios = 'platforms/ios/www';
  const files = {
    'config.xml': widget('<engine name="ios" spec="5.1.1"/>\n<preference name="CordonExports" value="csp"/>\n<access origin="https://api.example"/>'),
    'package.json': '{"dependencies": {"@ionic/core": "8.4.0"}}',
  };
  for (const web of [android, ios]) {
    files[`${web}/index.html`] = page;
    files[`${web}/js/app.js`] = "shot.src = 'data:image/png;base64,' + d;";
    files[`${web}/plugins/p/www/p.js`] = 'new Worker(URL.createObjectURL(b))';
    files[`${web}/a.css`] = '@font-face { src: url(data:font/woff2;base64,AA) }';
  }
  const root = project(files);
  const said = [];
  await steps.exports(root, { log: (line) => said.push(line) });
  const policy = (web) => /content="([^"]*)"/.exec(readFileSync(join(root, web, 'index.html'), 'utf8'))[1];
  assert.match(policy(ios), /frame-src [^;]* gap:;/);
  assert.doesNotMatch(policy(android), /gap:/);
  for (const web of [android, ios]) {
    assert.match(policy(web), /img-src [^;]* data:;.*font-src [^;]* data:;.*worker-src 'self' blob:;.*style-src-elem 'self' 'unsafe-inline'; style-src-attr 'none'/);
  }
  assert.deepEqual(said.filter((line) => /img-src|package\.json|gap:/.test(line)), [
    "Cordon: csp: style-src-elem has 'unsafe-inline', because package.json:1:19 (@ionic/core) puts style elements into the page",
    'Cordon: csp: img-src has data:, because www/js/app.js:1:13 shows data: URLs',
    'Cordon: csp: frame-src has gap:, because ios@5.1.1 calls native code by a frame of gap:',
  ]);
  assert.equal((await steps.exports(root, { log() {} })).changes.length, 0);
});

test('exports are written once, and then stay', async () => {
  const base = 'platforms/android/app/src/main';
  const root = project({
    'config.xml': widget('<access origin="https://api.example"/>'),
    [`${base}/AndroidManifest.xml`]: manifest,
    [`${base}/assets/www/index.html`]: page,
    [`${base}/assets/www/plugins/p/page.html`]: page,
  });
  const first = await steps.exports(root, { log() {} });
  assert.deepEqual(first.changes.map((c) => c.name).sort(), [`${base}/AndroidManifest.xml`, `${base}/assets/www/index.html`, `${base}/res/xml/network_security_config.xml`]);
  assert.match(readFileSync(join(root, base, 'assets/www/index.html'), 'utf8'), /<head>\n<meta http-equiv="Content-Security-Policy" content="[^"]*connect-src 'self' https:\/\/api\.example wss:/);
  assert.match(readFileSync(join(root, base, 'AndroidManifest.xml'), 'utf8'), /android:label="a" android:networkSecurityConfig="@xml\/network_security_config" android:supportsRtl/);
  assert.equal(readFileSync(join(root, base, 'assets/www/plugins/p/page.html'), 'utf8'), page);
  const second = await steps.exports(root, { log() {} });
  assert.deepEqual(second.changes, []);
});

test('a file that a person wrote is not replaced without the preference', async () => {
  const base = 'platforms/android/app/src/main';
  const files = {
    [`${base}/AndroidManifest.xml`]: manifest, [`${base}/assets/www/index.html`]: page,
    [`${base}/res/xml/network_security_config.xml`]: '<network-security-config/>',
  };
  await assert.rejects(steps.exports(project({ ...files, 'config.xml': widget('') }), { log() {} }), /network_security_config\.xml: the file was not written by this plugin.*CordonForce/);
  const root = project({ ...files, 'config.xml': widget('<preference name="CordonForce" value="true"/>') });
  await steps.exports(root, { log() {} });
  assert.match(readFileSync(join(root, base, 'res/xml/network_security_config.xml'), 'utf8'), /written by cordon export/);
});

test('a pin that cannot be read stops the exports', async () => {
  const root = project({ 'config.xml': widget('<cordon:pin host="a.example" sha256="short"/>'), 'platforms/browser/www/index.html': page });
  await assert.rejects(steps.exports(root, { log() {} }), /config\.xml:3/);
});

test('what kind of build it is', () => {
  for (const [cmdLine, options, want] of [
    ['cordova prepare', {}, ''], ['cordova build --release', { release: true }, 'release'], ['cordova build android --debug', {}, 'debug'],
    ['cordova run browser', {}, 'debug'], ['cordova run android --release', {}, 'release'], ['cordova build', undefined, ''],
  ]) assert.equal(buildOf({ cmdLine, opts: { options } }), want, cmdLine);
});
