package auth

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/backend/identity"
)

// social imitates the addresses of facebook, github, x and twitter as their
// documentation describes them.
func social(t *testing.T) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(v)
	}
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("code") != "good" && r.FormValue("refresh_token") != "refresh" ||
			r.FormValue("code") != "" && r.FormValue("code_verifier") == "" {
			w.WriteHeader(http.StatusBadRequest)
			answer(w, map[string]string{"error": "invalid_grant"})
			return
		}
		answer(w, map[string]any{"access_token": "ours", "refresh_token": "refresh", "token_type": "bearer",
			"expires_in": 3600})
	})
	mux.HandleFunc("/me", func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") ||
			strings.Contains(r.URL.RawQuery, "access_token") {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		answer(w, map[string]any{"id": 4211234567890, "login": "ann", "username": "ann", "email": "ann@example.org",
			"name": "Ann", "first_name": "Ann", "picture": map[string]any{"a": 1}, "site": "https://a.example"})
	})
	mux.HandleFunc("/inspect/facebook", func(w http.ResponseWriter, r *http.Request) {
		app := map[string]string{"ours": "client", "theirs": "other"}[r.FormValue("input_token")]
		if r.Header.Get("Authorization") != "Bearer client|client-s3cret" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		answer(w, map[string]any{"data": map[string]any{"app_id": app, "is_valid": app != "", "type": "USER"}})
	})
	mux.HandleFunc("/inspect/github", func(w http.ResponseWriter, r *http.Request) {
		var body map[string]string
		json.NewDecoder(r.Body).Decode(&body)
		user, password, _ := r.BasicAuth()
		if body["access_token"] != "ours" || user != "client" || password != "client-s3cret" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		answer(w, map[string]any{"app": map[string]any{"client_id": "client"}})
	})
	mux.HandleFunc("/request_token", func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Authorization"), `oauth_callback="https%3A%2F%2F`) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Write([]byte("oauth_token=request&oauth_token_secret=requestsecret&oauth_callback_confirmed=true"))
	})
	mux.HandleFunc("/access_token", func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Authorization"), `oauth_verifier="good"`) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Write([]byte("oauth_token=ours&oauth_token_secret=tokensecret&user_id=1"))
	})
	mux.HandleFunc("/verify", func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Authorization"), `oauth_token="ours"`) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		answer(w, map[string]any{"id": 42, "id_str": "42", "screen_name": "ann", "name": "Ann", "status": "x"})
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

func socialSite(t *testing.T, typ string) (*site, *httptest.Server) {
	p := social(t)
	return newSite(t, func(c *Config) {
		e := Endpoints{Authorization: p.URL + "/authorize", Token: p.URL + "/token", UserInfo: p.URL + "/me",
			Inspection: p.URL + "/inspect/" + typ}
		if typ == "twitter" {
			e = Endpoints{Authorization: p.URL + "/authorize", Token: p.URL + "/access_token",
				UserInfo: p.URL + "/verify?a=b", Request: p.URL + "/request_token"}
		}
		c.Providers = map[string]ProviderConfig{"my": {Type: typ, ClientID: "client",
			ClientSecret: "text-env:CLIENT_SECRET", Endpoints: e}}
	}), p
}

func TestSocialServerFlow(t *testing.T) {
	for typ, login := range map[string]string{"facebook": "ann@example.org", "github": "ann", "x": "ann",
		"twitter": "ann"} {
		t.Run(typ, func(t *testing.T) {
			s, p := socialSite(t, typ)
			c := s.browser()
			resp := s.get(c, "/.auth/login/my?session_mode=token")
			there, err := url.Parse(resp.Header.Get("Location"))
			if err != nil || !strings.HasPrefix(there.String(), p.URL+"/authorize?") {
				t.Fatalf("sent to %v, %v", there, err)
			}
			back := url.Values{"code": {"good"}, "state": {there.Query().Get("state")}}
			if typ == "twitter" {
				back = url.Values{"oauth_token": {there.Query().Get("oauth_token")}, "oauth_verifier": {"good"},
					"state": {flowState(t, s, resp)}}
			} else if there.Query().Get("code_challenge_method") != "S256" {
				t.Errorf("no PKCE in %s", there)
			}
			resp = s.get(c, "/.auth/login/my/callback?"+back.Encode())
			encoded, ok := strings.CutPrefix(resp.Header.Get("Location"), "../done#token=")
			if !ok {
				t.Fatalf("sent to %s", resp.Header.Get("Location"))
			}
			token := decodeToken(t, encoded).AuthenticationToken
			me := s.meOf(token)[0]
			if me.UserID != login || me.AccessToken != "ours" ||
				(me.AccessTokenSecret == "tokensecret") != (typ == "twitter") ||
				claimValues(me.UserClaims, identity.ClaimNameID) == "" {
				t.Errorf("me is %+v", me)
			}
			want := map[string]int{"facebook": 400, "github": 200, "x": 200, "twitter": 400}[typ]
			if resp := s.get(nil, "/.auth/refresh", "X-ZUMO-AUTH", token); resp.StatusCode != want {
				t.Errorf("refresh: %d, want %d", resp.StatusCode, want)
			}
		})
	}
}

// flowState opens a flow's cookie as the server would: OAuth 1.0a carries the
// state in the callback's address, which went to the provider.
func flowState(t *testing.T, s *site, resp *http.Response) string {
	t.Helper()
	c := resp.Cookies()[0]
	sealed, err := decodeBase64(c.Value)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := s.boxes.flow.Open(sealed, c.Name)
	if err != nil {
		t.Fatal(err)
	}
	var f flow
	if err := json.Unmarshal(plain, &f); err != nil {
		t.Fatal(err)
	}
	return f.State
}

func TestSocialClientFlow(t *testing.T) {
	for typ, cases := range map[string]map[string]int{
		"facebook": {`{"access_token":"ours"}`: 200, `{"access_token":"theirs"}`: 401,
			`{"access_token":"invented"}`: 401, `{}`: 400},
		"github": {`{"access_token":"ours"}`: 200, `{"access_token":"theirs"}`: 401, `{"id_token":"x"}`: 400},
		"x":      {`{"access_token":"ours"}`: 401, `{}`: 400},
		"twitter": {`{"access_token":"ours","access_token_secret":"tokensecret"}`: 200, `{"access_token":"ours"}`: 400,
			`{"access_token":"theirs","access_token_secret":"s"}`: 401},
	} {
		s, _ := socialSite(t, typ)
		for body, want := range cases {
			if resp := s.send(nil, http.MethodPost, "/.auth/login/my", body); resp.StatusCode != want {
				t.Errorf("%s %s: %d, want %d", typ, body, resp.StatusCode, want)
			}
		}
	}
}

// TestOAuthSignature has the examples of RFC 5849, section 1.2.
func TestOAuthSignature(t *testing.T) {
	token, _ := url.Parse("https://photos.example.net/token")
	got := oauthSignature("POST",
		token, map[string]string{"oauth_consumer_key": "dpf43f3p2l4k3l03", "oauth_token": "hh5s93j4hdidpola",
			"oauth_signature_method": "HMAC-SHA1", "oauth_timestamp": "137131201", "oauth_nonce": "walatlh",
			"oauth_verifier": "hfdp7dh39dks9884"}, "kd94hf93k423kf44", "hdhd0244k9j7ao03")
	if got != "gKgrFCywp7rO0OXSjdot/IHF7IU=" {
		t.Errorf("token: %s", got)
	}
	photos, _ := url.Parse("http://photos.example.net/photos?file=vacation.jpg&size=original")
	got = oauthSignature("GET",
		photos, map[string]string{"oauth_consumer_key": "dpf43f3p2l4k3l03", "oauth_token": "nnch734d00sl2jdk",
			"oauth_signature_method": "HMAC-SHA1", "oauth_timestamp": "137131202", "oauth_nonce": "chapoH"},
		"kd94hf93k423kf44", "pfkkdhi9sl3r4s00")
	if got != "MdpQcU8iPSUjWoN/UDMsK2sui9I=" {
		t.Errorf("photos: %s", got)
	}
}
