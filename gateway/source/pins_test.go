package source

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/gateway/config"
)

// A pin of the file that cannot be read closes its host and is a warning; one
// that names no host would close nothing, so the file is refused.
func TestPinsThatCannotBeRead(t *testing.T) {
	tests := []struct {
		name, pin     string
		strict        bool
		warning, want string // want: in the error
	}{
		{"readable", `host="api.example" sha256="LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="`, false, "", ""},
		{"no pin", `host="api.example" sha256="short"`, false, "config.xml:1:", ""},
		{"no pin, strict", `host="api.example" sha256="short"`, true, "", "config.xml:1:"},
		{"no host", `sha256="LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="`, false, "", "config.xml:1:"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "config.xml")
			body := `<widget xmlns:cordon="urn:cordon:1"><access origin="https://api.example"/><cordon:pin ` +
				test.pin + `/></widget>`
			if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
				t.Fatal(err)
			}
			l, err := Load(config.Config{Apps: []config.App{{Name: "app", Config: file, Strict: test.strict}}})
			if test.want != "" {
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Fatalf("error %v, want one that names %s", err, test.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			list := l.Apps[0].List
			if got := strings.Join(list.Warnings, "\n"); test.warning == "" != (got == "") ||
				!strings.Contains(got, test.warning) {
				t.Errorf("warnings %q, want %q", got, test.warning)
			}
			if len(list.Pins) != 1 || list.Pins[0].Host != "api.example" {
				t.Error("the host is not bound")
			}
		})
	}
}
