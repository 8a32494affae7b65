package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/internal/lane"
)

// clientFiles are what the example's client library is made from.
var clientFiles = []string{"package.json", "package-lock.json", "scripts/client.js"}

// clientLibrary puts the client library into a copy of the example, as cordon up
// --install does. It is made once, and kept for the next time.
func clientLibrary(t testing.TB, dir string) {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			lane.Missing(t, "there is no "+tool+" on this machine: the example has no client library")
		}
	}
	bundle, err := madeClient()
	if err != nil {
		lane.Missing(t, err.Error())
	}
	lib := filepath.Join(dir, "www", "lib")
	if err := os.MkdirAll(lib, 0o755); err != nil {
		t.Fatal(err)
	}
	copyFile(t, bundle, filepath.Join(lib, filepath.Base(bundle)))
}

// madeClient makes the library for all tests of this process, and returns its
// file. What another process makes at the same time is the same: the folder
// appears whole, by one rename, or not at all.
var madeClient = sync.OnceValues(func() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("there is no cache folder: %w", err)
	}
	source := filepath.Join("..", "..", "examples", "todo")
	digest := sha256.New()
	for _, name := range clientFiles {
		data, err := os.ReadFile(filepath.Join(source, name))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(digest, "%s %d\n%s", name, len(data), data)
	}
	kept := filepath.Join(cache, "cordon", "todo-"+hex.EncodeToString(digest.Sum(nil)[:8]))
	bundle := filepath.Join(kept, "www", "lib", "azure-mobile-apps-client.js")
	if _, err := os.Stat(bundle); err == nil {
		return bundle, nil
	}
	if err := os.MkdirAll(filepath.Dir(kept), 0o755); err != nil {
		return "", err
	}
	made, err := os.MkdirTemp(filepath.Dir(kept), "making-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(made) }()
	if err := makeClient(source, made); err != nil {
		return "", err
	}
	if err := os.Rename(made, kept); err != nil && !errors.Is(err, fs.ErrExist) {
		if _, there := os.Stat(bundle); there != nil {
			return "", err
		}
	}
	return bundle, nil
})

func makeClient(source, dir string) error {
	for _, name := range clientFiles {
		data, err := os.ReadFile(filepath.Join(source, name))
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	for _, args := range [][]string{
		{"ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"}, {"run", "build"},
	} {
		npm := exec.CommandContext(ctx, "npm", args...)
		npm.Dir = dir
		if out, err := npm.CombinedOutput(); err != nil {
			return fmt.Errorf("npm %s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	return nil
}
