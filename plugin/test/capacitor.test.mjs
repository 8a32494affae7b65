import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const { commandLine } = createRequire(import.meta.url)('../scripts/capacitor-end.js');
const hook = fileURLToPath(new URL('../scripts/capacitor.js', import.meta.url));
const page = '<!doctype html><html><head><title>t</title></head><body></body></html>';
const manifest = '<manifest xmlns:android="http://schemas.android.com/apk/res/android"><application android:label="a" android:supportsRtl="true"></application></manifest>';
const plist = '<plist version="1.0">\n<dict>\n\t<key>A</key>\n\t<string>b</string>\n</dict>\n</plist>\n';
const list = (body) => `<?xml version="1.0"?>\n<widget id="a.b" version="1.0.0">\n${body}\n</widget>\n`;

// What Capacitor's command line does with a hook: it runs it through a shell, and
// makes of its failure a stack trace and a status of 0, and then copies the next platform.
const cap = `
const { spawn } = require('node:child_process');
const [config, platform, step] = process.argv.slice(2);
const p = spawn(\`"\${process.execPath}" "${hook}" \${step}\`, { stdio: 'inherit', shell: true, env: { ...process.env,
  CAPACITOR_ROOT_DIR: __dirname, CAPACITOR_WEB_DIR: require('node:path').join(__dirname, JSON.parse(config).webDir),
  CAPACITOR_CONFIG: config, CAPACITOR_PLATFORM_NAME: platform } });
p.on('close', (code) => {
  if (code !== 0) console.log(new Error('the hook failed with ' + code).stack);
  require('node:fs').writeFileSync(require('node:path').join(__dirname, 'copied'), String(code));
});
`;

function run(files, step, { platform = 'android', webDir = 'www', config = { appId: 'a.b', webDir } } = {}) {
  const root = mkdtempSync(join(tmpdir(), 'cordon-'));
  test.after(() => rmSync(root, { recursive: true, force: true }));
  for (const [name, content] of Object.entries({ cap, 'package.json': '{}', ...files })) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [join(root, 'cap'), JSON.stringify(config), platform, step], { encoding: 'utf8' });
  return { root, status, signal, said: stdout + stderr, copied: existsSync(join(root, 'copied')) };
}

test('without a policy there is one line, a failure, and nothing is copied', () => {
  for (const step of ['begin', 'check', 'export', 'update']) {
    const { status, signal, said, copied } = run({ 'capacitor.config.json': '{"appId":"a.b","webDir":"www"}', 'www/index.html': page }, step);
    assert.equal(said, "Cordon: there is no config.xml in the project's folder: it lists the hosts that the app may reach, and without it no page gets a policy; make one with: cordon init\n", step);
    assert.deepEqual([status, signal, copied], [null, 'SIGTERM', false], step);
  }
});

test('a finding ends it with its line, a good list does not', () => {
  const files = { 'capacitor.config.json': '{"appId":"a.b","webDir":"www"}', 'www/index.html': page };
  const bad = run({ ...files, 'config.xml': list('<access origin="*"/>') }, 'check');
  assert.match(bad.said, /^Cordon: 1 finding stops the build\n\nconfig\.xml:3:1: high: /);
  assert.doesNotMatch(bad.said, /\n {4}at /);
  assert.deepEqual([bad.status, bad.copied], [null, false]);
  const good = run({ ...files, 'config.xml': list('<access origin="https://api.example.com"/>') }, 'check');
  assert.deepEqual([good.status, good.copied], [0, true], good.said);
  assert.match(good.said, /below the level/); // the page has no policy of its own
  for (const [step, platform] of [['begin', 'android'], ['export', 'web']]) {
    assert.equal(run({ ...files, 'config.xml': list('') }, step, { platform }).said, '', step);
  }
});

test('the pages are where Capacitor says, whatever its configuration computes', () => {
  const files = {
    'config.xml': list(''), 'capacitor.config.ts': 'export default { appId: "a.b", webDir: folder() };',
    'out/app/index.html': page.replace('<head>', '<head><meta http-equiv="Content-Security-Policy" content="default-src \'self\' data: \'unsafe-inline\'">'),
    'android/app/src/main/assets/capacitor.config.json': '{"appId":"a.b","webDir":"older"}',
  };
  const stops = { ...files, 'config.xml': list('<preference name="CordonFailOn" value="medium"/>') };
  assert.match(run(stops, 'check', { webDir: 'out/app' }).said, /out\/app\/index\.html:1:/);
});

test('platforms that Capacitor keeps elsewhere get the exports there', () => {
  const config = { appId: 'a.b', webDir: 'www', android: { path: './native/droid/' }, ios: { path: 'apple' } };
  const base = 'native/droid/app/src/main';
  const files = {
    'config.xml': list('<access origin="https://api.example.com"/>'), 'www/index.html': page,
    [`${base}/assets/public/index.html`]: page, [`${base}/AndroidManifest.xml`]: manifest, [`${base}/assets/public/a.js`]: "shot.src = 'data:image/png;base64,' + d;",
    'apple/App/App/public/index.html': page, 'apple/App/App/Info.plist': plist,
  };
  // What the configuration computes, Capacitor alone knows.
  for (const written of [{ 'capacitor.config.json': JSON.stringify(config) }, { 'capacitor.config.ts': 'export default { appId: "a.b", android: { path: folder() }, ios: apple };' }]) {
    const { said, status, root } = run({ ...files, ...written }, 'export', { config });
    assert.equal(status, 0, said);
    assert.match(said, /because public\/a\.js:1:13 shows data: URLs/);
    for (const name of [`${base}/assets/public/index.html`, 'apple/App/App/public/index.html']) {
      assert.match(readFileSync(join(root, name), 'utf8'), /connect-src 'self' https:\/\/api\.example\.com/, name);
    }
    assert.match(readFileSync(join(root, base, 'AndroidManifest.xml'), 'utf8'), /networkSecurityConfig/);
    assert.match(readFileSync(join(root, 'apple/App/App/Info.plist'), 'utf8'), /NSAppTransportSecurity/);
    assert.equal(existsSync(join(root, 'android')) || existsSync(join(root, 'ios')), false);
  }
});

test('what Capacitor evaluated is judged in platforms that it keeps elsewhere', () => {
  const config = { appId: 'a.b', webDir: 'www', android: { path: 'native/droid' }, server: { allowNavigation: ['*'] } };
  const { said, copied } = run({
    'config.xml': list(''), 'capacitor.config.ts': 'export default { appId: "a.b", webDir: "www", android: { path: folder() }, ...more() };',
    'www/index.html': page, 'native/droid/app/src/main/assets/public/index.html': page,
  }, 'check', { config });
  assert.match(said, /^native\/droid\/app\/src\/main\/assets\/capacitor\.config\.json:1:[0-9]+: (high|critical): /m);
  assert.equal(copied, false);
});

test('a platform outside of the project gets nothing', () => {
  const config = { appId: 'a.b', webDir: 'www', android: { path: '../elsewhere' } };
  const { said, copied } = run({ 'config.xml': list(''), 'capacitor.config.json': JSON.stringify(config), 'www/index.html': page }, 'export', { config });
  assert.match(said, /the folder of the platform must be below the project's/);
  assert.equal(copied, false);
});

test('a platform whose pages are not found is no success', () => {
  const files = { 'config.xml': list(''), 'capacitor.config.json': '{}', 'www/index.html': page, 'android/app/src/main/assets/public/index.html': page, 'android/app/src/main/AndroidManifest.xml': manifest };
  const { said, copied } = run(files, 'export', { platform: 'ios' });
  assert.match(said, /^Cordon: no pages of ios were found where cap copy puts them/m);
  assert.equal(copied, false);
  assert.equal(run(files, 'export').status, 0);
  assert.equal(run(files, 'export', { platform: 'ios', config: { webDir: 'www', server: { url: 'http://10.0.0.2:8100' } } }).status, 0);
});

test('an update of a fresh clone, whose pages were not copied yet, is no failure and says what brings them', () => {
  const clone = { 'config.xml': list(''), 'capacitor.config.json': '{"appId":"a.b","webDir":"www"}', 'android/app/src/main/AndroidManifest.xml': manifest, 'ios/App/App/Info.plist': '' };
  for (const platform of ['android', 'ios']) {
    const { said, status, copied } = run(clone, 'update', { platform });
    assert.equal(said, `Cordon: ${platform} has no copied pages yet; npx cap copy ${platform} brings them, with their policy\n`);
    assert.deepEqual([status, copied], [0, true], platform);
  }
  const copied = { ...clone, 'config.xml': list('<access origin="https://api.example.com"/>'), 'android/app/src/main/assets/public/index.html': page };
  const { said, status, root } = run(copied, 'update');
  assert.equal(status, 0, said);
  assert.match(readFileSync(join(root, 'android/app/src/main/assets/public/index.html'), 'utf8'), /connect-src 'self' https:\/\/api\.example\.com/);
  assert.doesNotMatch(said, /cap copy/);
});

test('only the command line of Capacitor is ended', () => {
  const table = {
    7: { parent: 6, args: ['/bin/sh', '-c', 'node scripts/capacitor.js check', ''] },
    6: { parent: 5, args: ['node', '/app/node_modules/.bin/cap', 'sync', ''] },
    5: { parent: 4, args: ['npm exec cap sync'] },
    9: { parent: 8, args: ['sh', '-c', 'x'] },
    8: { parent: 5, args: ['npm run capacitor:copy:before'] },
    12: { parent: 11, args: ['node', '-r', './.pnp.cjs', '/x/@capacitor/cli/bin/capacitor', 'copy'] },
    20: { parent: 21, args: ['sh', '-c', 'x'] },
    21: { parent: 6, args: ['node', 'build.js'] },
  };
  const look = (pid) => { if (!table[pid]) throw new Error('gone'); return table[pid]; };
  for (const [from, want] of [[7, 6], [6, 6], [9, 0], [12, 12], [20, 0], [99, 0], [1, 0]]) assert.equal(commandLine(from, look), want, `from ${from}`);
});
