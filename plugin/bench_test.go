package plugin_test

import (
	"os"
	"os/exec"
	"testing"
)

// What the two hooks add to a prepare: one process of Node.js that starts the
// engine, checks a project and writes the exports of three platforms. The time
// of an empty Node.js process is part of it.
func BenchmarkHooks(b *testing.B) {
	if _, err := exec.LookPath("node"); err != nil {
		b.Skip("no Node.js on this machine")
	}
	if _, err := os.Stat("dist/engine.wasm"); err != nil {
		b.Skip("dist/ is not built (make plugin)")
	}
	dir := b.TempDir()
	put := func(name, content string) {
		if err := writeTo(dir, name, content); err != nil {
			b.Fatal(err)
		}
	}
	page := "<!doctype html><html><head><title>t</title></head><body></body></html>"
	put("config.xml", `<widget id="a.b" version="1.0.0"><access origin="https://api.example.org"/></widget>`)
	put("platforms/android/app/src/main/AndroidManifest.xml",
		`<manifest xmlns:android="http://schemas.android.com/apk/res/android"><application/></manifest>`)
	put("platforms/ios/App/App-Info.plist", `<plist version="1.0"><dict><key>A</key><string>b</string></dict></plist>`)
	for _, web := range []string{"www", "platforms/android/app/src/main/assets/www", "platforms/ios/www",
		"platforms/browser/www"} {
		put(web+"/index.html", page)
	}
	const script = `const steps = require('./scripts/steps.js'); const quiet = { log() {} };
steps.check(process.argv[1], quiet).then(() => steps.exports(process.argv[1], quiet)).then(() => process.exit(0), (err) => { console.error(err.message); process.exit(1); });`
	for b.Loop() {
		if out, err := exec.Command("node", "-e", script, dir).CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
	}
}
