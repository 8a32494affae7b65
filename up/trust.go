package up

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/ca"
)

// trustStore is a place in which this machine keeps the authorities that it
// trusts.
type trustStore struct {
	// system is the name of its instruction in package ca, and who says which
	// programs ask it.
	system, who string
	trusts      func(ctx context.Context, certificate *x509.Certificate) bool
}

// trustStores are the stores of this machine that can be told by a command: the
// system's, and on Linux that of Chromium, which does not ask the system's.
func trustStores() []trustStore {
	var stores []trustStore
	switch runtime.GOOS {
	case "darwin":
		return []trustStore{{"macos", "this machine", systemTrusts}}
	case "windows":
		return []trustStore{{"windows", "this machine", systemTrusts}}
	}
	if onPath("update-ca-certificates") {
		stores = append(stores, trustStore{"debian", "curl and most programs", systemTrusts})
	} else if onPath("trust") {
		stores = append(stores, trustStore{"fedora", "curl and most programs", systemTrusts})
	}
	if onPath("chromium", "chromium-browser", "google-chrome", "google-chrome-stable") {
		who := "Chromium and Chrome"
		if !onPath("certutil") {
			who += " (certutil is in the package libnss3-tools or nss-tools)"
		}
		stores = append(stores, trustStore{"chromium", who, chromiumTrusts})
	}
	return stores
}

// onPath reports whether one of the commands is there.
func onPath(names ...string) bool {
	for _, name := range names {
		if _, err := exec.LookPath(name); err == nil {
			return true
		}
	}
	return false
}

// TrustStep is a command that makes one store of this machine trust an authority.
type TrustStep struct {
	// Command is for a shell, and Who says which programs ask the store.
	Command, Who string
}

// TrustSteps are what makes this machine's browsers take the App's https without a
// warning: one for each store that does not trust its authority yet, and is known to
// be here. Stores are asked, some by a command of theirs, for seconds at the most.
func (a *App) TrustSteps(ctx context.Context) []TrustStep {
	return trustSteps(ctx, a.summary.Authority, trustStores())
}

func trustSteps(ctx context.Context, file string, stores []trustStore) []TrustStep {
	certificate, err := readCertificate(file)
	if err != nil {
		return nil // nothing can be said of a file that cannot be read; serving it will
	}
	var steps []TrustStep
	for _, store := range stores {
		if command := trustCommand(file, certificate, store.system); command != "" && !store.trusts(ctx, certificate) {
			steps = append(steps, TrustStep{Command: command, Who: store.who})
		}
	}
	return steps
}

func readCertificate(file string) (*x509.Certificate, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s: there is no certificate in it", file)
	}
	return x509.ParseCertificate(block.Bytes)
}

// systemTrusts reports whether the system vouches for a certificate.
func systemTrusts(_ context.Context, certificate *x509.Certificate) bool {
	_, err := certificate.Verify(x509.VerifyOptions{KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	return err == nil
}

// certutilTime bounds the question to Chromium's store.
const certutilTime = 5 * time.Second

// chromiumTrusts reports whether Chromium's store on Linux holds the certificate
// under the name that package ca's instruction gives it.
func chromiumTrusts(ctx context.Context, certificate *x509.Certificate) bool {
	ctx, cancel := context.WithTimeout(ctx, certutilTime)
	defer cancel()
	home, err := os.UserHomeDir()
	if err != nil {
		return false
	}
	store := "sql:" + filepath.Join(home, ".pki", "nssdb")
	data, err := exec.CommandContext(ctx, "certutil", "-d", store, "-L", "-n", ca.StoreName(certificate), "-a").Output()
	if err != nil {
		return false
	}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if bytes.Equal(block.Bytes, certificate.Raw) {
			return true
		}
	}
	return false
}

// trustCommand is the command of package ca's instructions for a system, ""
// for one that has none.
func trustCommand(file string, certificate *x509.Certificate, system string) string {
	for _, instruction := range ca.Instructions(file, certificate) {
		if instruction.System != system {
			continue
		}
		var steps []string
		for _, line := range instruction.Trust {
			if step, ok := strings.CutPrefix(line, "$ "); ok {
				steps = append(steps, step)
			}
		}
		return strings.Join(steps, " && ")
	}
	return ""
}
