package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/propose"
)

// maxHAR bounds a HAR file in bytes; they hold bodies.
const maxHAR = 512 << 20

// harFile is what is read of a HAR file (HTTP Archive 1.2): who was asked for
// what.
type harFile struct {
	Log struct {
		Entries []harEntry `json:"entries"`
	} `json:"log"`
}

type harEntry struct {
	// ResourceType is Chromium's own.
	ResourceType string `json:"_resourceType"`
	Request      struct {
		URL     string `json:"url"`
		Headers []struct {
			Name  string `json:"name"`
			Value string `json:"value"`
		} `json:"headers"`
	} `json:"request"`
}

// ReadHAR reads the requests of a HAR file (HTTP Archive 1.2) over http, https, ws
// and wss; others, such as data:, leave the app for no host. At most 512 MiB are
// read.
func ReadHAR(r io.Reader) ([]propose.Observation, error) {
	var har harFile
	bounded := &io.LimitedReader{R: r, N: maxHAR + 1}
	decoder := json.NewDecoder(bounded)
	err := decoder.Decode(&har)
	if err == nil {
		if _, err = decoder.Token(); err == io.EOF {
			err = nil
		} else if err == nil {
			err = errors.New("something follows the JSON object")
		}
	}
	if bounded.N <= 0 {
		return nil, fmt.Errorf("larger than %d MiB: record a shorter time", maxHAR>>20)
	}
	if err != nil {
		return nil, fmt.Errorf("not a HAR file: %w", err)
	}
	if har.Log.Entries == nil {
		return nil, errors.New("not a HAR file: it has no log.entries")
	}
	var seen []propose.Observation
	for i := range har.Log.Entries {
		if o, ok := har.Log.Entries[i].observation(); ok {
			seen = append(seen, o)
		}
	}
	return seen, nil
}

func (e *harEntry) observation() (o propose.Observation, ok bool) {
	u, err := url.Parse(e.Request.URL)
	if err != nil {
		return o, false
	}
	switch u.Scheme {
	case "http", "https", "ws", "wss":
	default:
		return o, false
	}
	at, err := hostname.ParseAuthority(u.Host)
	if err != nil {
		return o, false
	}
	return propose.Observation{Scheme: u.Scheme, Host: at.Host.String(), Port: int(at.Port), Path: u.EscapedPath(),
		Kind: e.kind(u.Scheme)}, true
}

// kind is what asked: from Sec-Fetch-Dest, which the browser itself sends, or
// the type that it noted.
func (e *harEntry) kind(scheme string) string {
	if scheme == "ws" || scheme == "wss" {
		return policy.WebSocket.String()
	}
	for _, h := range e.Request.Headers {
		if strings.EqualFold(h.Name, "Sec-Fetch-Dest") {
			if kind := harKinds[strings.ToLower(h.Value)]; kind != policy.AnyKind {
				return kind.String()
			}
		}
	}
	if kind := harKinds[strings.ToLower(e.ResourceType)]; kind != policy.AnyKind {
		return kind.String()
	}
	return ""
}

// harKinds are the words of Sec-Fetch-Dest (Fetch Metadata Request Headers,
// section 2.1) and of Chromium's resource types.
var harKinds = map[string]policy.Kind{
	"document": policy.Navigation, "iframe": policy.Frame, "frame": policy.Frame, "object": policy.Frame,
	"embed": policy.Frame, "script": policy.Script, "worker": policy.Script, "sharedworker": policy.Script,
	"serviceworker": policy.Script, "style": policy.Style, "stylesheet": policy.Style, "image": policy.Image,
	"font": policy.Font, "audio": policy.Media, "video": policy.Media, "track": policy.Media, "media": policy.Media,
	"texttrack": policy.Media, "empty": policy.XHR, "xhr": policy.XHR, "fetch": policy.XHR, "ping": policy.XHR,
	"eventsource": policy.EventSource, "websocket": policy.WebSocket,
}
