package event

import (
	"encoding/json"
	"errors"
	"net/netip"
	"time"
)

// line is an event as Log writes it.
type line struct {
	Type     Type    `json:"msg"`
	At       string  `json:"at"`
	ID       string  `json:"id"`
	Source   string  `json:"source"`
	App      string  `json:"app"`
	Identity string  `json:"identity"`
	Client   string  `json:"client"`
	Verdict  Verdict `json:"verdict"`
	Reason   string  `json:"reason"`
	Method   string  `json:"method"`
	Scheme   string  `json:"scheme"`
	Host     string  `json:"host"`
	Port     uint16  `json:"port"`
	Path     string  `json:"path"`
	Kind     string  `json:"kind"`
	Rule     string  `json:"rule"`
	Place    string  `json:"place"`
	Detail   string  `json:"detail"`
	Address  string  `json:"address"`
	Status   int     `json:"status"`
	Up       int64   `json:"bytes_up"`
	Down     int64   `json:"bytes_down"`
	Lookup   float64 `json:"lookup_ms"`
	Connect  float64 `json:"connect_ms"`
	Total    float64 `json:"total_ms"`
}

// Parse reads one line of a log, also of a release that wrote "deny" for what is
// "block" now. Times come back in UTC and durations in whole microseconds, as
// they are written. How many events are missing before a line (sampled_out,
// dropped) is no part of the event. A line that is none is an error that does not
// repeat it: a log holds what clients sent.
func Parse(data []byte) (Event, error) {
	var l line
	if err := json.Unmarshal(data, &l); err != nil {
		return Event{}, errors.New("event: a line of the log must be one JSON object with the members of an event")
	}
	switch l.Type {
	case Decision, Close, Notice:
	default:
		return Event{}, errors.New("event: msg must be decision, close or notice")
	}
	if l.Verdict == "deny" {
		l.Verdict = Blocked
	}
	switch l.Verdict {
	case "", Allowed, Blocked, Reported, Failed:
	default:
		return Event{}, errors.New("event: the verdict must be allow, block, report or fail")
	}
	e := Event{
		ID: l.ID, Type: l.Type, Source: l.Source, App: l.App, Identity: l.Identity, Method: l.Method, Scheme: l.Scheme,
		Host: l.Host, Port: l.Port, Path: l.Path, Kind: l.Kind, Verdict: l.Verdict, Reason: l.Reason, Rule: l.Rule,
		Place: l.Place, Detail: l.Detail, Status: l.Status, Up: l.Up, Down: l.Down,
		Lookup: milliseconds(l.Lookup), Connect: milliseconds(l.Connect), Total: milliseconds(l.Total),
	}
	var err error
	if e.Time, err = time.Parse(time.RFC3339Nano, l.At); err != nil {
		return Event{}, errors.New("event: at must be a time as in RFC 3339")
	}
	e.Time = e.Time.UTC()
	for _, address := range []struct {
		text string
		to   *netip.AddrPort
	}{{l.Client, &e.Client}, {l.Address, &e.Address}} {
		if address.text == "" {
			continue
		}
		if *address.to, err = netip.ParseAddrPort(address.text); err != nil {
			return Event{}, errors.New("event: client and address must be an IP address with a port")
		}
	}
	return e, nil
}

func milliseconds(ms float64) time.Duration { return time.Duration(ms*1000+0.5) * time.Microsecond }
