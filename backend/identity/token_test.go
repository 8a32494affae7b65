package identity

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"pgregory.net/rapid"
)

const testIssuer = "https://app.example/"

var (
	testNow = time.Unix(1_800_000_000, 0).UTC()
	testKey = []byte(strings.Repeat("k", 32))
)

func newTestAuthority(t testing.TB, algorithm Algorithm, keys *KeySet) *Authority {
	t.Helper()
	a, err := NewAuthority(testIssuer, testIssuer, algorithm, keys, func() time.Time { return testNow })
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func sign(t testing.TB, method jwt.SigningMethod, key any, claims jwt.MapClaims) string {
	t.Helper()
	text, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func goodClaims(change jwt.MapClaims) jwt.MapClaims {
	c := jwt.MapClaims{"sub": "sid:1", "iss": testIssuer, "aud": testIssuer, "exp": testNow.Unix() + 10, "ver": "3"}
	maps.Copy(c, change)
	for k, v := range c {
		if v == nil {
			delete(c, k)
		}
	}
	return c
}

func TestMintIsTheOriginalLayout(t *testing.T) {
	a := newTestAuthority(t, HS256, &KeySet{Shared: [][]byte{testKey}})
	text, err := a.Mint(Token{Subject: "sid:0123", StableID: "sid:0123", Provider: "google", Version: "3",
		Session: "s1", Issued: testNow, Expires: testNow.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(text, ".")
	header, _ := base64.RawURLEncoding.DecodeString(parts[0])
	payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
	if string(header) != `{"alg":"HS256","typ":"JWT"}` {
		t.Errorf("header %s", header)
	}
	want := `{"aud":"https://app.example/","exp":1800003600,"iat":1800000000,"idp":"google",` +
		`"iss":"https://app.example/","nbf":1800000000,"sid":"s1","stable_sid":"sid:0123","sub":"sid:0123","ver":"3"}`
	if string(payload) != want {
		t.Errorf("payload\n%s, want\n%s", payload, want)
	}
	token, err := a.Verify(text, 0)
	if err != nil || token.Subject != "sid:0123" || token.Session != "s1" ||
		!token.Expires.Equal(testNow.Add(time.Hour)) {
		t.Errorf("verified as %+v, %v", token, err)
	}
	if _, err := a.Mint(Token{Subject: "x", Issued: testNow}); err == nil {
		t.Error("a token without an expiry was minted")
	}
}

func TestVerify(t *testing.T) {
	other := []byte(strings.Repeat("o", 64))
	a := newTestAuthority(t, HS256, &KeySet{Shared: [][]byte{testKey, other}})
	at := func(d time.Duration) int64 { return testNow.Add(d).Unix() }
	cases := []struct {
		name   string
		method jwt.SigningMethod
		key    any
		change jwt.MapClaims
		want   string // the error's message, "" for acceptance
	}{
		{"good", jwt.SigningMethodHS256, testKey, nil, ""},
		{"previous key", jwt.SigningMethodHS256, other, nil, ""},
		{"long key, HS384", jwt.SigningMethodHS384, other, nil, ""},
		{"long key, HS512", jwt.SigningMethodHS512, other, nil, ""},
		{"short key, HS512", jwt.SigningMethodHS512, testKey, nil, "invalid signature"},
		{"foreign key", jwt.SigningMethodHS256, []byte("foreign"), nil, "invalid signature"},
		{"none", jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil, "invalid algorithm"},
		{"no exp", jwt.SigningMethodHS256, testKey, jwt.MapClaims{"exp": nil}, ""},
		{"exp now", jwt.SigningMethodHS256, testKey, jwt.MapClaims{"exp": at(0)}, "jwt expired"},
		{"exp a second ago", jwt.SigningMethodHS256, testKey, jwt.MapClaims{"exp": at(-time.Second)}, "jwt expired"},
		{"exp as text", jwt.SigningMethodHS256, testKey, jwt.MapClaims{"exp": "1900000000"}, "jwt malformed"},
		{"exp negative", jwt.SigningMethodHS256, testKey, jwt.MapClaims{"exp": -1}, "jwt malformed"},
		{"exp enormous", jwt.SigningMethodHS256, testKey, jwt.MapClaims{"exp": 1e300}, "jwt malformed"},
		{"exp with a fraction", jwt.SigningMethodHS256, testKey, jwt.MapClaims{"exp": float64(at(0)) + 0.5}, ""},
		{"nbf in a minute", jwt.SigningMethodHS256, testKey, jwt.MapClaims{"nbf": at(time.Minute)}, ""},
		{"nbf later", jwt.SigningMethodHS256, testKey, jwt.MapClaims{"nbf": at(61 * time.Second)}, "jwt not active"},
		{"iat later", jwt.SigningMethodHS256, testKey, jwt.MapClaims{"iat": at(61 * time.Second)}, "jwt not active"},
		{"issuer", jwt.SigningMethodHS256, testKey, jwt.MapClaims{"iss": "https://app.example"},
			"jwt issuer invalid. expected: https://app.example/"},
		{"no issuer", jwt.SigningMethodHS256, testKey, jwt.MapClaims{"iss": nil},
			"jwt issuer invalid. expected: https://app.example/"},
		{"audience", jwt.SigningMethodHS256, testKey, jwt.MapClaims{"aud": "x"},
			"jwt audience invalid. expected: https://app.example/"},
		{"audiences", jwt.SigningMethodHS256, testKey, jwt.MapClaims{"aud": []string{"x", testIssuer}}, ""},
		{"no audience", jwt.SigningMethodHS256, testKey, jwt.MapClaims{"aud": nil},
			"jwt audience invalid. expected: https://app.example/"},
		{"no subject", jwt.SigningMethodHS256, testKey, jwt.MapClaims{"sub": nil}, "jwt subject invalid"},
		{"number as subject", jwt.SigningMethodHS256, testKey, jwt.MapClaims{"sub": 7}, "jwt subject invalid"},
	}
	for _, c := range cases {
		_, err := a.Verify(sign(t, c.method, c.key, goodClaims(c.change)), 0)
		var tokenError *TokenError
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (!errors.As(err, &tokenError) || tokenError.Message != c.want):
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

func TestVerifyBrokenText(t *testing.T) {
	a := newTestAuthority(t, HS256, &KeySet{Shared: [][]byte{testKey}})
	good := sign(t, jwt.SigningMethodHS256, testKey, goodClaims(nil))
	crit := jwt.NewWithClaims(jwt.SigningMethodHS256, goodClaims(nil))
	crit.Header["crit"] = []string{"exp"}
	critical, _ := crit.SignedString(testKey)
	for _, text := range []string{"", "x", "a.b.c", good[:len(good)-4], good + "x", good + ".",
		strings.Replace(good, ".", "..", 1), critical, strings.Repeat("a", 20_000)} {
		if token, err := a.Verify(text, 0); err == nil {
			t.Errorf("%.30q was accepted as %v", text, token)
		}
	}
}

func TestGrace(t *testing.T) {
	a := newTestAuthority(t, HS256, &KeySet{Shared: [][]byte{testKey}})
	for age, want := range map[time.Duration]bool{time.Hour: true, 72*time.Hour - time.Second: true,
		72 * time.Hour: false} {
		text := sign(t, jwt.SigningMethodHS256, testKey, goodClaims(jwt.MapClaims{"exp": testNow.Add(-age).Unix()}))
		if _, err := a.Verify(text, 72*time.Hour); (err == nil) != want {
			t.Errorf("expired since %v: %v", age, err)
		}
		if _, err := a.Verify(text, 0); !Expired(err) {
			t.Errorf("expired since %v, no grace: %v", age, err)
		}
	}
}

func TestAsymmetricKeys(t *testing.T) {
	old, err := NewPrivateKey(testNow.Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	next, _ := NewPrivateKey(testNow.Add(time.Minute))
	a := newTestAuthority(t, ES256, &KeySet{Shared: [][]byte{testKey}, Private: []PrivateKey{old, next}})
	text, err := a.Mint(Token{Subject: "sid:1", Issued: testNow, Expires: testNow.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Verify(text, 0); err != nil {
		t.Error(err)
	}
	parsed, _, _ := jwt.NewParser().ParseUnverified(text, jwt.MapClaims{})
	if parsed.Header["kid"] != old.ID {
		t.Errorf("signed with %v, which is not active yet", parsed.Header["kid"])
	}
	var set struct{ Keys []map[string]string }
	if err := json.Unmarshal(a.Keys().JWKS(testNow), &set); err != nil || len(set.Keys) != 2 {
		t.Errorf("published %v, %v", set, err)
	}
	// The public key must not serve as a symmetric one.
	der, _ := base64.RawURLEncoding.DecodeString(set.Keys[0]["x"])
	forged := sign(t, jwt.SigningMethodHS256, der, goodClaims(nil))
	if _, err := a.Verify(forged, 0); err == nil {
		t.Error("a token under the public key as HMAC key was accepted")
	}
	old.Retired = testNow
	a.SetKeys(&KeySet{Private: []PrivateKey{old, next}})
	if _, err := a.Verify(text, 0); err == nil {
		t.Error("a token of a retired key was accepted")
	}
	stored, err := next.MarshalKey()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := ParsePrivateKey(stored); err != nil || !again.Equal(next.Key) {
		t.Errorf("a stored key came back as %v, %v", again, err)
	}
}

func TestKeysDoNotPrint(t *testing.T) {
	key, _ := NewPrivateKey(testNow)
	set := KeySet{Shared: [][]byte{testKey}, Private: []PrivateKey{key}}
	private, err := key.Key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	secret := new(big.Int).SetBytes(private).String()
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %s", set, set, set, set),
		fmt.Sprintf("%v %+v %#v", key, key, key), fmt.Sprintf("%v %+v %#v",
			ProviderToken{Provider: "p", Access: "kkkk"}, &ProviderToken{Access: "kkkk"},
			ProviderToken{Refresh: "kkkk"})} {
		if strings.Contains(text, "kkk") || strings.Contains(text, "107") || strings.Contains(text, secret) {
			t.Errorf("a key shows in %s", text)
		}
	}
}

func TestParseHexKey(t *testing.T) {
	if key, err := ParseHexKey(strings.Repeat("aF", 32)); err != nil || len(key) != 32 || key[0] != 0xaf {
		t.Errorf("got %x, %v", key, err)
	}
	for _, text := range []string{"", "zz", strings.Repeat("aa", 31), strings.Repeat("a", 65)} {
		if _, err := ParseHexKey(text); err == nil || (len(text) > 2 && strings.Contains(err.Error(), text)) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestUserID(t *testing.T) {
	key := []byte("id key")
	a, b := UserID(key, "https://a", "bc"), UserID(key, "https://ab", "c")
	if a == b || len(a) != 36 || !strings.HasPrefix(a, "sid:") || a != UserID(key, "https://a", "bc") {
		t.Errorf("got %s and %s", a, b)
	}
	if UserID([]byte("other"), "https://a", "bc") == a {
		t.Error("the key does not matter")
	}
}

// FuzzVerify looks for a token that is accepted although nobody signed it.
func FuzzVerify(f *testing.F) {
	a := newTestAuthority(f, HS256, &KeySet{Shared: [][]byte{testKey}})
	good := sign(f, jwt.SigningMethodHS256, testKey, goodClaims(nil))
	f.Add(good)
	f.Add(sign(f, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, goodClaims(nil)))
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, text string) {
		if token, err := a.Verify(text, 0); err == nil && text != good {
			t.Errorf("%q was accepted as %v", text, token.Claims)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	a := newTestAuthority(b, HS256, &KeySet{Shared: [][]byte{testKey}})
	text := sign(b, jwt.SigningMethodHS256, testKey, goodClaims(nil))
	for b.Loop() {
		if _, err := a.Verify(text, 0); err != nil {
			b.Fatal(err)
		}
	}
}

// TestMintedTokensVerify states the law: what was minted comes back as it was,
// until its expiry and not a moment longer, and no changed character passes.
func TestMintedTokensVerify(t *testing.T) {
	private, err := NewPrivateKey(testNow.Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		algorithm := rapid.SampledFrom([]Algorithm{HS256, ES256}).Draw(t, "algorithm")
		now := testNow
		a, err := NewAuthority(rapid.String().Draw(t, "issuer"), rapid.StringN(1, 50, -1).Draw(t, "audience"),
			algorithm, &KeySet{Shared: [][]byte{testKey}, Private: []PrivateKey{private}},
			func() time.Time { return now })
		if err != nil {
			t.Fatal(err)
		}
		life := time.Duration(rapid.Int64Range(1, 1e6).Draw(t, "seconds")) * time.Second
		want := Token{Subject: rapid.StringN(1, 60, 255).Draw(t, "subject"),
			Provider: rapid.String().Draw(t, "provider"), Version: "3", Session: rapid.String().Draw(t, "session"),
			StableID: rapid.String().Draw(t, "stable"), Issued: now, Expires: now.Add(life)}
		text, err := a.Mint(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := a.Verify(text, 0)
		got.Claims = nil
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v, %v, want %+v", got, err, want)
		}
		now = testNow.Add(life - time.Millisecond)
		if _, err := a.Verify(text, 0); err != nil {
			t.Fatalf("a moment before its end: %v", err)
		}
		now = testNow.Add(life)
		if _, err := a.Verify(text, 0); !Expired(err) {
			t.Fatalf("at its end: %v", err)
		}
		now = testNow
		i := rapid.IntRange(0, len(text)-1).Draw(t, "changed")
		c := rapid.SampledFrom([]byte("ABCXYZabcxyz0189-_.")).Draw(t, "to")
		if changed := text[:i] + string(c) + text[i+1:]; changed != text {
			if _, err := a.Verify(changed, 0); err == nil {
				t.Fatalf("%q passes for %q", changed, text)
			}
		}
	})
}
