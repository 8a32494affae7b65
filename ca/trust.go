package ca

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"strings"
)

// Instruction says how one system is made to trust an authority, and how to
// take it back.
type Instruction struct {
	// System is the short name to ask for, such as "debian".
	System string
	// Title says which systems are meant.
	Title string
	// Trust and Undo are what to do, line by line: commands start with "$ ".
	Trust, Undo []string
}

// StoreName is the name under which the Instructions put a certificate into
// stores that need one: another for each authority, so that many can be trusted.
func StoreName(certificate *x509.Certificate) string {
	sum := sha256.Sum256(certificate.Raw)
	return "cordon-" + hex.EncodeToString(sum[:4])
}

// shellWord quotes a text for a POSIX shell, in which nothing of it is expanded.
func shellWord(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// Instructions returns what to do on each system to trust the authority whose
// certificate is in file. Nothing here does it: that is a person's decision.
func Instructions(file string, certificate *x509.Certificate) []Instruction {
	q, name := shellWord(file), StoreName(certificate)
	return []Instruction{
		{
			"curl", "One command only (nothing is installed)",
			[]string{"$ curl --cacert " + q + " https://localhost:8443/"}, nil,
		}, {
			"go", "Programs in Go on Unix (nothing is installed)",
			[]string{"$ export SSL_CERT_FILE=" + q, "The system's own authorities are then not trusted in that shell."},
			[]string{"$ unset SSL_CERT_FILE"},
		}, {
			"node", "Node.js (nothing is installed)",
			[]string{"$ export NODE_EXTRA_CA_CERTS=" + q}, []string{"$ unset NODE_EXTRA_CA_CERTS"},
		}, {
			"debian", "Debian, Ubuntu, Alpine",
			[]string{"$ sudo cp " + q + " /usr/local/share/ca-certificates/" + name + ".crt",
				"$ sudo update-ca-certificates"},
			[]string{"$ sudo rm /usr/local/share/ca-certificates/" + name + ".crt",
				"$ sudo update-ca-certificates --fresh"},
		}, {
			"fedora", "Fedora, RHEL, Arch",
			[]string{"$ sudo trust anchor --store " + q},
			[]string{"$ sudo trust anchor --remove " + q},
		}, {
			"chromium", "Chromium and Chrome on Linux (their own store)",
			[]string{"$ mkdir -p ~/.pki/nssdb", "$ certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n " + name + " -i " + q},
			[]string{"$ certutil -d sql:$HOME/.pki/nssdb -D -n " + name},
		}, {
			"firefox", "Firefox (its own store)",
			[]string{"Settings > Privacy & Security > View Certificates > Authorities > Import, choose the file, " +
				"tick \"identify websites\"."},
			[]string{"The same place: select \"Cordon development\", Delete or Distrust."},
		}, {
			"macos", "macOS (and Safari, Chrome there)",
			[]string{"$ security add-trusted-cert -r trustRoot -p ssl -k ~/Library/Keychains/login.keychain-db " + q},
			[]string{"$ security remove-trusted-cert " + q},
		}, {
			"windows", "Windows (and Edge, Chrome there)",
			[]string{"$ certutil -user -addstore Root \"" + file + "\""},
			[]string{"$ certutil -user -delstore Root \"Cordon development\""},
		}, {
			"android", "Android devices and emulators",
			[]string{
				"$ adb push " + q + " /sdcard/Download/" + name + ".crt",
				"Settings > Security > Encryption & credentials > Install a certificate > CA certificate.",
				"Apps for Android 7 and later trust it only if they say so: put <certificates src=\"user\"/> into " +
					"debug-overrides of the network security config (cordon export android-nsc writes it).",
			},
			[]string{"Settings > Security > Encryption & credentials > User credentials."},
		}, {
			"ios", "iOS and iPadOS devices",
			[]string{
				"Send the file to the device (AirDrop, mail) and open it; Settings > Profile Downloaded > Install.",
				"Settings > General > About > Certificate Trust Settings: switch it on.",
				"In the simulator: $ xcrun simctl keychain booted add-root-cert " + q,
			},
			[]string{"Settings > General > VPN & Device Management: remove the profile."},
		},
	}
}
