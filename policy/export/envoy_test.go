package export_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	rbacconfig "github.com/envoyproxy/go-control-plane/envoy/config/rbac/v3"
	rbacfilter "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/cordon-sec/cordon/policy"
)

// envoyRead takes the export apart by Envoy's own protocol definitions, and lets
// their own validation look at it.
func envoyRead(t testing.TB, content []byte) *rbacfilter.RBAC {
	t.Helper()
	var wrapped anypb.Any
	if err := protojson.Unmarshal(content, &wrapped); err != nil {
		t.Fatalf("not the filter's configuration: %v\n%s", err, content)
	}
	message, err := wrapped.UnmarshalNew()
	if err != nil {
		t.Fatal(err)
	}
	filter, ok := message.(*rbacfilter.RBAC)
	if !ok {
		t.Fatalf("the type is %T", message)
	}
	if err := filter.ValidateAll(); err != nil {
		t.Fatalf("%v\n%s", err, content)
	}
	return filter
}

// envoyReader applies the filter as Envoy documents it: ALLOW lets through what some
// policy matches, and nothing else.
func envoyReader(t testing.TB, content []byte) func(string) bool {
	filter := envoyRead(t, content)
	if filter.Rules.Action != rbacconfig.RBAC_ALLOW {
		t.Fatalf("the action is %s", filter.Rules.Action)
	}
	return func(raw string) bool {
		u, err := url.Parse(raw)
		if err != nil {
			return false
		}
		headers := map[string]string{":method": "GET", ":authority": u.Host}
		if u.Scheme != "http" {
			headers[":method"] = "CONNECT"
			if u.Port() == "" {
				headers[":authority"] += map[string]string{"https": ":443", "wss": ":443", "ws": ":80"}[u.Scheme]
			}
		}
		for _, p := range filter.Rules.Policies {
			for _, permission := range p.Permissions {
				if envoyMatches(t, permission, headers) {
					return true
				}
			}
		}
		return false
	}
}

func envoyMatches(t testing.TB, p *rbacconfig.Permission, headers map[string]string) bool {
	if and := p.GetAndRules(); and != nil {
		for _, each := range and.Rules {
			if !envoyMatches(t, each, headers) {
				return false
			}
		}
		return len(and.Rules) > 0
	}
	header := p.GetHeader()
	if header == nil {
		t.Fatalf("a permission of another kind: %v", p)
	}
	value, match := headers[header.Name], header.GetStringMatch()
	held := match.GetExact() == value
	if expression := match.GetSafeRegex(); expression != nil {
		held = regexp.MustCompile(`\A(?:` + expression.Regex + `)\z`).MatchString(value)
	}
	return held != header.InvertMatch
}

func TestEnvoyLaw(t *testing.T) {
	law{
		Export: writerOf("envoy"), Reader: envoyReader, Kind: policy.AnyKind, Schemes: []string{"http", "https", "wss"},
	}.Check(t)
}

func TestEnvoyOddAuthorities(t *testing.T) {
	source, _ := sourceOf(t,
		`<access origin="https://*.a.example"/><access origin="http://k.example"/><access origin="*"/>`)
	allows := envoyReader(t, writerOf("envoy")(source).Content)
	for raw, want := range map[string]bool{
		"https://A.EXAMPLE/": true, "https://x_y.a.example/": true, "http://K.EXAMPLE:80/": true,
		"http://\u212a.example/": false, "https://a.example:8443/": false, "http://a.example/": false,
		"https://10.0.0.1/": false, "https://[2001:db8::1]/": false, "https://any.example/": true,
		"https://a..example/": false, "https://./": false,
	} {
		if got := allows(raw); got != want {
			t.Errorf("%s: %v, want %v", raw, got, want)
		}
	}
}

// A policy without lines refuses everything, and a line for ws alone opens no
// tunnel.
func TestEnvoyNothingListed(t *testing.T) {
	for _, body := range []string{``, `<access origin="ws://a.example"/>`} {
		source, _ := sourceOf(t, body)
		artifact := writerOf("envoy")(source)
		if allows := envoyReader(t, artifact.Content); allows("https://a.example/") || allows("http://a.example/") ||
			allows("ws://a.example/") {
			t.Errorf("%q lets something through:\n%s", body, artifact.Content)
		}
		if body != "" && (len(artifact.Losses) != 1 || !strings.Contains(artifact.Losses[0].Message, "tunnel")) {
			t.Errorf("losses %v", artifact.Losses)
		}
	}
}
