package services

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/cordon-sec/cordon/backend/identity"
	hostname "github.com/cordon-sec/cordon/host"
)

// Config is the key `services` of cordon.yaml: the services by the name that
// stands in /api/{name}.
type Config map[string]Service

// Service is one upstream.
type Service struct {
	// Upstream is the http or https URL that requests go to; what follows the
	// name in the path is added to its path. It may be private: it is named
	// here.
	Upstream string `yaml:"upstream"`
	// Access is who may call the service: anonymous (default), authenticated or
	// disabled.
	Access Access `yaml:"access" enum:"anonymous,authenticated,disabled" default:"anonymous"`
	// Get overrides Access for GET and HEAD.
	Get Method `yaml:"get"`
	// Post overrides Access for POST.
	Post Method `yaml:"post"`
	// Put overrides Access for PUT.
	Put Method `yaml:"put"`
	// Patch overrides Access for PATCH.
	Patch Method `yaml:"patch"`
	// Delete overrides Access for DELETE.
	Delete Method `yaml:"delete"`
	// Rule is a condition (CEL) over user, device, risk and request that every
	// call must meet.
	Rule string `yaml:"rule"`
	// Timeout bounds a call as a whole.
	Timeout time.Duration `yaml:"timeout" default:"60s"`
	// MaxBody is the largest request body in bytes.
	MaxBody int64 `yaml:"max_body" default:"10485760"`
	// MaxConcurrent is how many calls may run at once; more are refused.
	MaxConcurrent int `yaml:"max_concurrent" default:"256"`
	// ForwardTokens sends the caller's session token and the provider's tokens
	// (X-MS-TOKEN-*) along, as App Service does. They never go over http to
	// another machine. On unless set to false.
	ForwardTokens *bool `yaml:"forward_tokens" default:"true"`
	// Headers are set on every request to the upstream.
	Headers map[string]string `yaml:"headers"`
}

// Method is what one HTTP method has for itself.
type Method struct {
	// Access overrides the service's.
	Access Access `yaml:"access" enum:"anonymous,authenticated,disabled"`
}

// Access is who may do something: "", "anonymous", "authenticated" or
// "disabled".
type Access string

// The kinds of access.
const (
	Anonymous     Access = "anonymous"
	Authenticated Access = "authenticated"
	Disabled      Access = "disabled"
)

// methods are those that are forwarded; HEAD counts as GET.
var methods = []string{"get", "post", "put", "patch", "delete"}

// access is who may use a method, "" for the service as a whole.
func (s Service) access(method string) Access {
	own := map[string]Method{"get": s.Get, "post": s.Post, "put": s.Put, "patch": s.Patch,
		"delete": s.Delete}[method].Access
	if own != "" {
		return own
	}
	if s.Access != "" {
		return s.Access
	}
	return Anonymous
}

func (s Service) withDefaults() Service {
	if s.Timeout == 0 {
		s.Timeout = time.Minute
	}
	if s.MaxBody == 0 {
		s.MaxBody = 10 << 20
	}
	if s.MaxConcurrent == 0 {
		s.MaxConcurrent = 256
	}
	return s
}

// Problem is one thing that is wrong with a Config, at a path of keys below
// `services`.
type Problem struct {
	Path []string
	Msg  string
}

// Error returns the path and the message.
func (p *Problem) Error() string { return strings.Join(p.Path, ".") + ": " + p.Msg }

var serviceName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

// Check returns what is wrong with the configuration.
func (c Config) Check() []*Problem {
	var all []*Problem
	seen := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(c)) {
		add := func(msg string, path ...string) {
			all = append(all, &Problem{Path: append([]string{name}, path...), Msg: msg})
		}
		if !serviceName.MatchString(name) {
			add("a service's name must be letters, digits, dots, - and _")
		}
		if other, taken := seen[strings.ToLower(name)]; taken {
			add(fmt.Sprintf("has the same name as %s but for its case", other))
		}
		seen[strings.ToLower(name)] = name
		c[name].check(add)
	}
	return all
}

func (s Service) check(add func(msg string, path ...string)) {
	u, err := url.Parse(s.Upstream)
	switch {
	case s.Upstream == "":
		add("is missing", "upstream")
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil ||
		u.Fragment != "":
		add("must be an http or https URL without a user name or fragment", "upstream")
	default:
		if _, err := hostname.ParseAuthority(u.Host); err != nil {
			add(fmt.Sprintf("the host must be a name or an address: %v", err), "upstream")
		}
	}
	for key, access := range map[string]Access{"access": s.Access, "get": s.Get.Access, "post": s.Post.Access,
		"put": s.Put.Access, "patch": s.Patch.Access, "delete": s.Delete.Access} {
		if access != "" && access != Anonymous && access != Authenticated && access != Disabled {
			add("must be anonymous, authenticated or disabled", key)
		}
	}
	if s.Rule != "" {
		if rule, err := identity.CompileCondition(s.Rule); err != nil {
			add(err.Error(), "rule")
		} else if rule.UsesRow() {
			add("a service has no row", "rule")
		}
	}
	if s.Timeout < 0 || s.MaxBody < 0 || s.MaxConcurrent < 0 {
		add("timeout, max_body and max_concurrent must not be negative")
	}
	for name, value := range s.Headers {
		if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) ||
			identity.ReservedHeader(name) || http.CanonicalHeaderKey(name) == "Host" {
			add("must be a header that may be set: not one of HTTP's own, or of Cordon's", "headers", name)
		}
	}
}
