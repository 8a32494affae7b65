package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/egress"
	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/policy/enforced"
)

// Question is a request that a client might make.
type Question struct {
	// App is the name of the app that asks; "" where there is only one.
	App string
	// URL is the absolute URL, with http, https, ws or wss.
	URL string
}

// Answer is what the gateway would do with a request, and why.
type Answer struct {
	App string `json:"app"`
	// Config names the app's list, as the gateway's configuration does.
	Config string `json:"config"`
	URL    string `json:"url"`
	// Way is how the request would come to the gateway: "connect" for a tunnel,
	// "inspect" for one that is decrypted, "forward" for a request in absolute
	// form.
	Way     string        `json:"way"`
	Verdict event.Verdict `json:"verdict"`
	// Status is what the client would be answered, 0 where that is the origin's.
	Status int    `json:"status,omitempty"`
	Reason string `json:"reason"`
	// Rule is the text of the rule that decided and Place its file:line:column.
	Rule  string `json:"rule,omitempty"`
	Place string `json:"place,omitempty"`
	// Addresses are the addresses of the host as they are judged. They are not
	// looked up for what the list refuses.
	Addresses []AnswerAddress `json:"addresses"`
	// Notes are what else there is to know, such as a line that would help.
	Notes []string `json:"notes"`
}

// AnswerAddress is one address of a host.
type AnswerAddress struct {
	Address string `json:"address"`
	// Refused says why it would not be dialled; "" if it would.
	Refused string `json:"refused,omitempty"`
	// Range is the special-purpose range that it is in; "" if in none.
	Range string `json:"range,omitempty"`
}

// The ways of a request.
const (
	wayConnect = "connect"
	wayInspect = "inspect"
	wayForward = "forward"
)

// Ask says what the gateway would do with a request that a client makes now. It
// looks the host's addresses up, and connects to nothing: whether the origin
// answers, and with what certificate, is not part of it, nor are limits. The
// error is about the question. It is safe for concurrent use.
func (g *Gateway) Ask(ctx context.Context, q Question) (Answer, error) {
	st := g.state.Load()
	a, err := st.asked(q.App)
	if err != nil {
		return Answer{}, err
	}
	t, err := parseTarget(q.URL)
	if err != nil {
		return Answer{}, fmt.Errorf("%q: %w", q.URL, err)
	}
	answer := Answer{App: a.config.Name, Config: a.config.Config, URL: t.authority.url(t.scheme, t.rest),
		Addresses: []AnswerAddress{}, Notes: []string{}}
	var r decision
	answer.Way, r = st.decideAsked(a, t)
	answer.Verdict, answer.Reason = r.verdict, r.reason
	if r.rule != nil {
		answer.Rule = r.rule.Text
		if !r.rule.Implicit() {
			answer.Place = r.rule.Place.String()
		}
	}
	if !r.ok {
		answer.Status = http.StatusForbidden
		if answer.Way == wayConnect && st.opensInCleartext(a, t) {
			answer.Status = 0
			answer.Notes = append(answer.Notes,
				"the tunnel is opened, for a rule that allows cleartext in it, and closed when TLS begins")
		}
		if line := hint(r, t.scheme, t.authority); line != "" {
			answer.Notes = append(answer.Notes, line)
		}
		return answer, nil
	}
	if answer.Way == wayConnect && t.path() != "/" && enforced.HasPath(r.rule) {
		answer.Notes = append(answer.Notes,
			"the path is not seen in a tunnel: the host decides (inspect: true would bind the path)")
	}
	return answer, g.judgeAsked(ctx, a.destination(t.authority, r.rule), &answer)
}

// asked returns the app that a question is about.
func (st *state) asked(name string) (*app, error) {
	if a := st.byName[name]; a != nil {
		return a, nil
	}
	if name == "" && len(st.apps) == 1 {
		return st.apps[0], nil
	}
	names := make([]string, len(st.apps))
	for i, a := range st.apps {
		names[i] = a.config.Name
	}
	slices.Sort(names)
	if name == "" {
		return nil, fmt.Errorf("there are several apps: choose one of %s", strings.Join(names, ", "))
	}
	return nil, fmt.Errorf("no app is called %q: there are %s", name, strings.Join(names, ", "))
}

// decideAsked decides as a request would be on the way that a browser takes.
func (st *state) decideAsked(a *app, t target) (way string, r decision) {
	switch {
	case t.scheme == "http":
		return wayForward, a.decide(t.scheme, t.authority, t.rest, false)
	case t.scheme == "ws":
		return wayConnect, a.decide(t.scheme, t.authority, t.rest, false)
	case a.config.Inspect && st.inspector != nil:
		return wayInspect, a.decide(t.scheme, t.authority, t.rest, false)
	}
	r = a.decide("https", t.authority, "/", true)
	if !r.ok {
		if socket := a.decide("wss", t.authority, "/", true); socket.ok {
			r = socket
		}
	}
	return wayConnect, r
}

// opensInCleartext reports whether a CONNECT to the target is answered for what may
// be spoken in cleartext inside.
func (st *state) opensInCleartext(a *app, t target) bool {
	secure := t.scheme == "https" || t.scheme == "wss"
	return secure && (a.decide("http", t.authority, "/", true).ok || a.decide("ws", t.authority, "/", true).ok)
}

// judgeAsked looks the addresses up and judges them.
func (g *Gateway) judgeAsked(ctx context.Context, to egress.Destination, answer *Answer) error {
	list, err := g.dialer.Resolve(ctx, to)
	var failed *egress.Error
	if errors.As(err, &failed) {
		answer.Reason, answer.Status = egressReason(err)
		answer.Verdict = event.Failed
		if failed.Reason.Refused() {
			answer.Verdict = event.Blocked
		}
		answer.Notes = append(answer.Notes, err.Error())
		return nil
	}
	if err != nil {
		return err
	}
	usable := 0
	for _, one := range list {
		a := AnswerAddress{Address: one.Addr.String()}
		if one.Refused != egress.Usable {
			a.Refused = one.Refused.String()
		} else {
			usable++
		}
		if one.Range.IsValid() {
			a.Range = one.Range.String()
		}
		answer.Addresses = append(answer.Addresses, a)
	}
	if usable > 0 {
		return nil
	}
	answer.Verdict = event.Blocked
	answer.Reason, answer.Status = egressReason(&egress.Error{Step: egress.StepJudge, Reason: egress.AddressRefused,
		Host: to.Host, Refused: list})
	answer.Notes = append(answer.Notes,
		"every address is refused: gateway.apps[].private (--private HOST=RANGE) lets a host resolve into a range")
	return nil
}
