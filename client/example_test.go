package client_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/client"
	"github.com/cordon-sec/cordon/egress"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
)

// backend stands in for the servers of the examples: an App Service with its
// /.auth/me, and a directory.
func backend() (origin string, config egress.Config, stop func()) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.auth/me", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-ZUMO-AUTH") == "" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, `[{"provider_name":"aad","user_id":"ann@example.com"}]`)
	})
	mux.HandleFunc("GET /v1.0/users", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer new-token" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, `{"value":[{"displayName":"Ann"},{"displayName":"Bob"}]}`)
	})
	server := httptest.NewTLSServer(mux)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	config = egress.Config{
		Roots: roots,
		Resolver: egress.ResolverFunc(func(context.Context, string) ([]netip.Addr, time.Duration, error) {
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, 0, nil
		}),
		Allow: []egress.Private{{Host: "example.com", Range: netip.MustParsePrefix("127.0.0.1/32")}},
	}
	return strings.Replace(server.URL, "127.0.0.1", "example.com", 1), config, server.Close
}

// policyFor reads the strict meaning of a config.xml.
func policyFor(configXML string) (*policy.Policy, error) {
	document, err := configxml.Parse("config.xml", []byte(configXML))
	if err != nil {
		return nil, err
	}
	return dialect.Compile(document, policy.Target{Platform: dialect.Strict})
}

// Who is signed in? The session token travels as X-ZUMO-AUTH, to its own
// origin and nowhere else; a host that the config.xml does not list is refused
// before a byte leaves.
func ExampleNew_authMe() {
	origin, config, stop := backend()
	defer stop()
	p, err := policyFor(`<widget><access origin="` + origin + `"/></widget>`)
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := client.New(p, client.Options{
		Egress: config,
		Tokens: []client.Token{{
			Origins: []string{origin},
			Header:  client.HeaderZumo,
			Source:  client.StaticToken("session-token"),
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	response, err := c.Get(origin + "/.auth/me")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	var sessions []struct {
		Provider string `json:"provider_name"`
		User     string `json:"user_id"`
	}
	if err := json.NewDecoder(response.Body).Decode(&sessions); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(sessions[0].User, "by", sessions[0].Provider)

	_, err = c.Get("https://tracker.example/pixel")
	var denied *client.DeniedError
	if errors.As(err, &denied) {
		fmt.Println(denied)
	}
	// Output:
	// ann@example.com by aad
	// cordon: https://tracker.example:443 is refused: not-allowed: no entry of the list covers the URL
}

// graphToken is a token that is fetched anew when the server rejects it.
type graphToken struct{ token string }

func (g *graphToken) Token(context.Context) (string, error) { return g.token, nil }

func (g *graphToken) Refresh(_ context.Context, _ string) (string, error) {
	g.token = "new-token" // a real one asks its identity provider here
	return g.token, nil
}

// List ten users from a graph endpoint with a bearer token. The first token is
// too old: the server answers 401, the source gives a new one, and the request
// is sent once more.
func ExampleNew_users() {
	origin, config, stop := backend()
	defer stop()
	p, err := policyFor(`<widget><access origin="` + origin + `/v1.0"/></widget>`)
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := client.New(p, client.Options{
		Egress: config,
		Tokens: []client.Token{{
			Origins: []string{origin},
			Header:  client.HeaderAuthorization,
			Source:  &graphToken{token: "old-token"},
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	response, err := c.Get(origin + "/v1.0/users?$top=10")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	var page struct {
		Value []struct {
			Name string `json:"displayName"`
		} `json:"value"`
	}
	if err := json.NewDecoder(response.Body).Decode(&page); err != nil {
		fmt.Println(err)
		return
	}
	for _, user := range page.Value {
		fmt.Println(user.Name)
	}
	// Output:
	// Ann
	// Bob
}
