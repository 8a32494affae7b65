// Command project measures what cordon check costs on a project with many installed
// packages, its start included: only the manifests that matter may be read.
//
//	go run ./project -cordon ../cordon
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func main() {
	cordon := flag.String("cordon", "cordon", "the program to measure")
	packages := flag.Int("packages", 1000, "how many packages are installed")
	rounds := flag.Int("rounds", 9, "how often it is measured")
	bound := flag.Duration("bound", 300*time.Millisecond, "the bound of the median")
	strict := flag.Bool("strict", false, "exit with 1 if the bound is missed")
	workspace := flag.Bool("workspace", false, "the packages, each of which the project names, are a workspace's")
	flag.Parse()
	median, err := measure(*cordon, *packages, *rounds, *workspace)
	if err != nil {
		fmt.Fprintln(os.Stderr, "project:", err)
		os.Exit(2)
	}
	fmt.Printf(
		"check of a Capacitor project with %d packages: %s, start included (bound %s)\n",
		*packages,
		median,
		*bound,
	)
	if *strict && median > *bound {
		os.Exit(1)
	}
}

func measure(cordon string, packages, rounds int, workspace bool) (time.Duration, error) {
	dir, err := os.MkdirTemp("", "cordon-bench-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	if err := makeProject(dir, packages, workspace); err != nil {
		return 0, err
	}
	if workspace {
		dir = filepath.Join(dir, member)
	}
	var times []time.Duration
	for range rounds {
		begin := time.Now()
		out, err := exec.Command(cordon, "check", "--fail-on", "never", dir).CombinedOutput()
		if err != nil {
			return 0, fmt.Errorf("%w: %s", err, out)
		}
		times = append(times, time.Since(begin))
	}
	slices.Sort(times)
	if len(times) == 0 {
		return 0, errors.New("no rounds")
	}
	return times[len(times)/2], nil
}

// member is the project's folder in a workspace.
const member = "apps/shop"

// makeProject writes a Capacitor project with packages, each with a manifest, some
// programs and, every tenth, a plugin.xml that nobody names but in a workspace.
func makeProject(dir string, packages int, workspace bool) error {
	files := map[string]string{
		"capacitor.config.ts": "export default { appId: 'org.example.app', webDir: 'dist', server: { cleartext: false } };\n",
		"package.json": `{"dependencies": {"@capacitor/core": "^7.0.0", "@capacitor/android": "^7.0.0",` +
			`"cordova-plugin-camera": "8.0.0"}}`,
		"dist/index.html": "<!doctype html><html><head><title>App</title></head></html>",
		"dist/app.js":     "fetch('https://api.example.org/v1')",
		"node_modules/@capacitor/android/package.json":  `{"name": "@capacitor/android", "version": "7.4.0"}`,
		"node_modules/cordova-plugin-camera/plugin.xml": `<plugin id="cordova-plugin-camera" version="8.0.0"/>`,
	}
	for i := range packages {
		name := fmt.Sprintf("node_modules/package-%04d/", i)
		files[name+"package.json"] = fmt.Sprintf(`{"name": "package-%04d", "version": "1.0.0"}`, i)
		for j := range 5 {
			files[fmt.Sprintf("%slib/%d.js", name, j)] = "module.exports = 1;\n"
		}
		if i%10 == 0 {
			files[name+"plugin.xml"] = `<plugin id="x"><access origin="*"/></plugin>`
		}
	}
	if workspace {
		named := ""
		for i := range packages {
			named += fmt.Sprintf(`"package-%04d": "1", `, i)
		}
		files["package.json"] = strings.Replace(files["package.json"], `": {"`, `": {`+named+`"`, 1)
		moved := map[string]string{"package.json": `{"workspaces": ["apps/*"]}`}
		for name, text := range files {
			if !strings.HasPrefix(name, "node_modules/") {
				name = member + "/" + name
			}
			moved[name] = text
		}
		files = moved
	}
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
