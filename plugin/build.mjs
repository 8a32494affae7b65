// Builds dist/: the engine of the hooks, the smaller one that an app may carry,
// and the loader that belongs to the Go release that built them.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
// The Go packages are beside this file; a copy of it names where they are.
const source = process.env.CORDON_PLUGIN_SOURCE || here;
const dist = join(here, 'dist');
mkdirSync(dist, { recursive: true });

const go = (args, env = {}) => execFileSync('go', args, { cwd: source, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } });

for (const [name, folder] of [['engine.wasm', './engine'], ['inapp.wasm', './engine/inapp']]) {
  go(['build', '-trimpath', '-ldflags=-s -w', '-o', join(dist, name), folder], { GOOS: 'js', GOARCH: 'wasm' });
}
copyFileSync(join(go(['env', 'GOROOT']).trim(), 'lib', 'wasm', 'wasm_exec.js'), join(dist, 'wasm_exec.js'));
copyFileSync(join(source, '..', 'LICENSE'), join(dist, 'LICENSE'));
