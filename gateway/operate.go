package gateway

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/internal/output"
	"github.com/cordon-sec/cordon/internal/problem"
)

// The paths of what operators ask the admin listener for, besides its own.
const (
	// TestPath answers ?url=URL&app=NAME with an Answer in the envelope of commands.
	TestPath = "/gateway/test"
	// TunnelsPath lists what is open as a TunnelList in the same envelope; DELETE of
	// TunnelsPath/ID ends one.
	TunnelsPath = "/gateway/tunnels"
)

// OperatorVersion is the version of the JSON under TestPath and TunnelsPath.
const OperatorVersion = 1

// Tunnel is a connection that is open through the gateway: a tunnel, or an
// upgraded connection.
type Tunnel struct {
	// ID is the id of its events.
	ID     string `json:"id"`
	App    string `json:"app"`
	Client string `json:"client"`
	// Target is the host and port that were asked for, Address where they lead.
	Target  string `json:"target"`
	Address string `json:"address"`
	// Opened is when the client asked; Up and Down are the bytes from and to it
	// so far.
	Opened time.Time `json:"opened"`
	Up     int64     `json:"up"`
	Down   int64     `json:"down"`
}

// TunnelList is every open tunnel, the oldest first.
type TunnelList struct {
	Tunnels []Tunnel `json:"tunnels"`
}

// Tunnels lists what is open, the oldest first. Tunnels that are still at their
// beginning, before a byte is passed on, are not among them.
func (g *Gateway) Tunnels() []Tunnel {
	g.tunnels.mu.Lock()
	list := make([]Tunnel, 0, len(g.tunnels.open))
	for t := range g.tunnels.open {
		if t.moves.Load() {
			list = append(list, t.describe())
		}
	}
	g.tunnels.mu.Unlock()
	slices.SortFunc(list, func(a, b Tunnel) int {
		return cmp.Or(a.Opened.Compare(b.Opened), strings.Compare(a.ID, b.ID))
	})
	return list
}

// describe returns a tunnel that moves: its event does not change until it has
// left the list of the open ones.
func (t *tunnel) describe() Tunnel {
	e := &t.event
	target := authority{host: e.Host, port: e.Port}
	if a, err := splitAuthority(e.Host, e.Port); err == nil {
		target = a
	}
	d := Tunnel{ID: e.ID, App: e.App, Client: e.Client.String(), Target: target.String(),
		Opened: t.began.UTC(), Up: t.up.Load(), Down: t.down.Load()}
	if e.Address.IsValid() {
		d.Address = e.Address.String()
	}
	return d
}

// EndTunnel ends the open tunnel of an ID, and reports whether there was one.
func (g *Gateway) EndTunnel(id string) bool {
	g.tunnels.mu.Lock()
	var found *tunnel
	for t := range g.tunnels.open {
		if t.moves.Load() && t.event.ID == id {
			found = t
		}
	}
	g.tunnels.mu.Unlock()
	if found == nil {
		return false
	}
	found.shut(byOperator)
	return true
}

// adminTest answers what would become of a request.
func (g *Gateway) adminTest(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	answer, err := g.Ask(r.Context(), Question{App: query.Get("app"), URL: query.Get("url")})
	if err != nil {
		problem.Write(w, problem.Problem{Status: http.StatusBadRequest, Reason: "question", Detail: err.Error()})
		return
	}
	writeOperator(w, answer)
}

func (g *Gateway) adminTunnels(w http.ResponseWriter, _ *http.Request) {
	writeOperator(w, TunnelList{g.Tunnels()})
}

func (g *Gateway) adminEndTunnel(w http.ResponseWriter, r *http.Request) {
	if !g.EndTunnel(r.PathValue("tunnel")) {
		problem.Write(w, problem.Problem{Status: http.StatusNotFound, Reason: "no-tunnel",
			Detail: "No tunnel with this id is open."})
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func writeOperator(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_ = output.JSON(w, OperatorVersion, value) // the client may be gone
}
