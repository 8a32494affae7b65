package lint

import (
	"math"
	"regexp"
	"strings"
)

// keyForms are secrets that can be told by their form alone.
var keyForms = []struct {
	hint string // what must be in the text for the expression to be tried
	form *regexp.Regexp
	what string
}{
	{"PRIVATE KEY-----", regexp.MustCompile(`-----BEGIN ([A-Z]+ )*PRIVATE KEY-----`), "a private key"},
	{"AKIA", regexp.MustCompile(`\bAKIA[0-9A-Z]{16}\b`), "an AWS access key"},
	{"AIza", regexp.MustCompile(`\bAIza[0-9A-Za-z_-]{35}\b`), "a Google API key"},
	{"_live_", regexp.MustCompile(`\b[sr]k_live_[0-9A-Za-z]{16,}`), "a Stripe secret key"},
	{"gh", regexp.MustCompile(`\bgh[pousr]_[0-9A-Za-z]{36}\b`), "a GitHub token"},
	{"github_pat_", regexp.MustCompile(`\bgithub_pat_[0-9A-Za-z_]{40,}`), "a GitHub token"},
	{"xox", regexp.MustCompile(`\bxox[baprs]-[0-9A-Za-z-]{10,}`), "a Slack token"},
	{"SG.", regexp.MustCompile(`\bSG\.[0-9A-Za-z_-]{20,}\.[0-9A-Za-z_-]{20,}`), "a SendGrid key"},
	{"AccountKey=", regexp.MustCompile(`\bAccountKey=[0-9A-Za-z+/]{40,}={0,2}`), "an Azure storage key"},
	{"SharedAccessKey=", regexp.MustCompile(`\bSharedAccessKey=[0-9A-Za-z+/]{20,}={0,2}`),
		"an Azure shared access key"},
	{"eyJ", regexp.MustCompile(`\beyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}`),
		"a signed token (JWT)"},
}

// knownKey says what kind of secret a text holds, by its form, or "".
func knownKey(s string) string {
	for _, each := range keyForms {
		if strings.Contains(s, each.hint) && each.form.MatchString(s) {
			return each.what
		}
	}
	return ""
}

var placeholder = regexp.MustCompile(`(?i)^(\$|\{|<|%|@)|your|example|change.?me|placeholder|dummy|xxx|\*\*\*|\.\.\.|` +
	`^test|todo|insert|replace|undefined|null|password|secret|token`)

// looksSecret reports whether a value that is named like a secret also looks
// like one: long enough, without blanks, no placeholder, and of mixed
// characters.
func looksSecret(s string) bool {
	if len(s) < 8 || len(s) > 4096 || strings.ContainsAny(s, " \t\r\n/") && !strings.HasSuffix(s, "=") ||
		placeholder.MatchString(s) {
		return false
	}
	digits := strings.ContainsAny(s, "0123456789")
	letters := strings.ContainsFunc(s, func(c rune) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' })
	return digits && letters && entropy(s) >= 2.5
}

// entropy returns Shannon's entropy in bits a byte.
func entropy(s string) float64 {
	var count [256]int
	for i := 0; i < len(s); i++ {
		count[s[i]]++
	}
	bits := 0.0
	for _, n := range count {
		if n > 0 {
			p := float64(n) / float64(len(s))
			bits -= p * math.Log2(p)
		}
	}
	return bits
}

var userAndPassword = regexp.MustCompile(`(://)[^\s/@:"]+:[^\s/@"]+@`)

// withoutPassword keeps a message that quotes a URL from printing the user
// name and password in it.
func withoutPassword(s string) string { return userAndPassword.ReplaceAllString(s, "${1}***@") }
