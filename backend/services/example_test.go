package services_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"

	"github.com/cordon-sec/cordon/backend/identity"
	"github.com/cordon-sec/cordon/backend/services"
)

// A request to /api/greet goes on to the owner's service, which reads who asks
// from a header. Here a principal is put into the context by hand; the
// middleware of package auth does it for a whole backend.
func Example() {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "hello %s", r.Header.Get("X-MS-CLIENT-PRINCIPAL-NAME"))
	}))
	defer upstream.Close()
	handler, err := services.New(services.Options{
		Config: services.Config{"greet": {Upstream: upstream.URL, Access: services.Authenticated}},
		// In a program: the Transport of an egress.Dialer.
		Transport: func(*url.URL) http.RoundTripper { return http.DefaultTransport },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ask := func(who *identity.Principal) {
		r := httptest.NewRequest(http.MethodGet, "/api/greet", nil)
		r = r.WithContext(identity.NewContext(r.Context(), who, nil))
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		body, err := io.ReadAll(w.Body)
		fmt.Println(w.Code, string(body), err)
	}
	ask(&identity.Principal{User: identity.User{ID: "sid:1", Name: "ann"}})
	ask(nil)
	// Output:
	// 200 hello ann <nil>
	// 401 You must be logged in to use this application <nil>
}
