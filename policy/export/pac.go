package export

import (
	"fmt"
	"strings"

	"github.com/cordon-sec/cordon/policy/dialect"
)

// pacFormat is PAC; its constant describes it.
var pacFormat = Format{
	Name:  PAC,
	Title: "Proxy auto-configuration",
	Can:   Schemes | Ports | Exact | Deep | EveryHost | Requests | Denies,
	Limits: []string{
		"WebRTC does not go through proxies",
		"a refused host fails as an unreachable proxy, without a reason",
	},
}

// nowhere is the proxy that refused URLs are sent to: the discard port of the
// machine itself.
const nowhere = "PROXY 127.0.0.1:9"

// entry is one covered origin in the script's table.
type entry struct {
	Schemes string `json:"s"` // blank-separated, with blanks around
	Host    string `json:"h"` // "" for every named host
	Below   bool   `json:"b,omitempty"`
	Port    int    `json:"p,omitempty"` // 0: the scheme's own
}

// exportPAC writes the script.
func exportPAC(s Source) Artifact {
	origins := s.Wire()
	lines := make([]string, 0, len(origins))
	for i := range origins {
		lines = append(lines, "  "+string(encodeLine(tableEntry(&origins[i]))))
	}
	content := pacFormat.header("// ", s) +
		"var cordonList = [\n" + strings.Join(lines, ",\n") + "\n];\n" +
		fmt.Sprintf(script, nowhere)
	return Artifact{Path: "proxy.pac", Content: []byte(content), Losses: pacFormat.widening(origins)}
}

func tableEntry(o *dialect.Origin) entry {
	return entry{Schemes: " " + strings.Join(o.Schemes, " ") + " ", Host: o.Host, Below: o.Subdomains, Port: o.Port}
}

// script is plain ECMAScript 3, which every implementation runs.
const script = `
function cordonCovers(e, scheme, host, port) {
  var own = scheme === "https" || scheme === "wss" ? 443 : 80;
  if (e.s.indexOf(" " + scheme + " ") < 0 || port !== (e.p || own)) { return false; }
  if (!e.h) { return !/^\[|(^|\.)[0-9]+$/.test(host); }
  if (host === e.h) { return true; }
  var cut = host.length - e.h.length;
  return !!e.b && cut > 0 && host.substring(cut) === e.h && host.charAt(cut - 1) === ".";
}

function FindProxyForURL(url, host) {
  var m = /^(https?|wss?):\/\/([^\/?#\\@\s]*)(?:[\/?#]|$)/i.exec(url);
  if (m) {
    var scheme = m[1].toLowerCase();
    var parts = /^(\[[0-9a-fA-F:.]+\]|[^:\[\]]+?)\.?(?::([0-9]{1,5}))?$/.exec(m[2].toLowerCase());
    if (parts) {
      var port = parts[2] ? parseInt(parts[2], 10) : (scheme === "https" || scheme === "wss" ? 443 : 80);
      for (var i = 0; i < cordonList.length; i++) {
        if (cordonCovers(cordonList[i], scheme, parts[1], port)) { return "DIRECT"; }
      }
    }
  }
  return "%s";
}
`
