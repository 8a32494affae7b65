package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/gateway"
	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/internal/admin"
	"github.com/cordon-sec/cordon/internal/problem"
	"github.com/cordon-sec/cordon/internal/systemd"
)

// operator asks a running gateway's admin listener.
type operator struct {
	address string // host:port
	token   string // the file with the token for changes
	client  *http.Client
}

// operatorTime bounds one question to a gateway on this machine.
const operatorTime = 15 * time.Second

// errNoAdmin says that there is nobody to ask.
var errNoAdmin = errors.New("no admin listener is configured: set gateway.admin, or name it with --admin")

// newOperator finds the admin listener of the gateway that was started with the
// same flags.
func newOperator(f *gatewayFlags, c config.Config) (*operator, error) {
	switch {
	case c.Admin == "":
		return nil, errNoAdmin
	case systemd.IsSocket(c.Admin):
		return nil, fmt.Errorf("the admin listener is a socket of systemd's: name its address with --admin, as in " +
			"127.0.0.1:9090")
	}
	if err := admin.CheckAddress(c.Admin); err != nil {
		return nil, fmt.Errorf("--admin: %w", err)
	}
	transport := &http.Transport{DisableKeepAlives: true} // no proxy: it is this machine
	client := &http.Client{Transport: transport}
	return &operator{address: c.Admin, token: adminToken(f.config), client: client}, nil
}

// adminToken is where the token of a gateway with this configuration is kept.
func adminToken(config string) string {
	if abs, err := filepath.Abs(config); err == nil {
		config = abs // whoever reads of the file may be in another folder
	}
	return admin.TokenFile(filepath.Dir(config))
}

// unansweredError is an admin listener that nobody answers at.
type unansweredError struct {
	address string
	err     error
}

// Error says where nobody answers.
func (e *unansweredError) Error() string {
	return fmt.Sprintf("no gateway answers at http://%s: %v", e.address, e.err)
}

// Unwrap returns the cause.
func (e *unansweredError) Unwrap() error { return e.err }

// ask sends one request, and decodes the answer into a value if there is one.
func (o *operator) ask(ctx context.Context, method, path string, query url.Values, into any) error {
	ctx, cancel := context.WithTimeout(ctx, operatorTime)
	defer cancel()
	u := url.URL{Scheme: "http", Host: o.address, Path: path, RawQuery: query.Encode()}
	r, err := http.NewRequestWithContext(ctx, method, u.String(), nil)
	if err != nil {
		return err
	}
	if method != http.MethodGet {
		err := admin.Authorize(o.client, r, o.token)
		var unanswered *url.Error
		if errors.As(err, &unanswered) {
			return &unansweredError{o.address, unanswered.Err}
		}
		if err != nil {
			return fmt.Errorf("http://%s: %w", o.address, err)
		}
	}
	resp, err := o.client.Do(r)
	if err != nil {
		var cause *url.Error
		if errors.As(err, &cause) {
			err = cause.Err // the URL is said already
		}
		return &unansweredError{o.address, err}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil {
		return &unansweredError{o.address, err}
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return o.refused(resp.StatusCode, body)
	}
	if into == nil {
		return nil
	}
	var envelope struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(body, &envelope); err != nil || envelope.Version == 0 {
		return fmt.Errorf("http://%s answered as no gateway does: another program listens there", o.address)
	}
	if envelope.Version != gateway.OperatorVersion {
		return fmt.Errorf("the gateway at http://%s speaks version %d of its answers, this command version %d: both "+
			"must be of one release", o.address, envelope.Version, gateway.OperatorVersion)
	}
	return json.Unmarshal(body, into)
}

// refused is what a gateway answers for something that it does not do.
func (o *operator) refused(status int, body []byte) error {
	var p problem.Problem
	if json.Unmarshal(body, &p) != nil || p.Reason == "" {
		return fmt.Errorf("http://%s answered with status %d: it must be a gateway of this release", o.address, status)
	}
	if p.Detail == "" {
		return fmt.Errorf("the gateway at http://%s refuses: %s", o.address, p.Reason)
	}
	return errors.New(strings.TrimSuffix(p.Detail, "."))
}
