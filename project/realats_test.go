package project_test

import (
	"bufio"
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"testing"

	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/export"
)

// derived is what cordova-ios makes of one config.xml.
type derived struct {
	File string
	ATS  struct {
		Everything bool `json:"NSAllowsArbitraryLoads"`
		Domains    map[string]struct {
			Below     bool `json:"NSIncludesSubdomains"`
			Cleartext bool `json:"NSExceptionAllowsInsecureHTTPLoads"`
		} `json:"NSExceptionDomains"`
	} `json:"ats"`
	Failure string `json:"ats_error"`
}

// What cordova-ios derives and what we export, for real files: the same
// exceptions for cleartext. The differences are those of docs/divergences.md.
func TestRealATS(t *testing.T) {
	dir := realConfigs(t)
	list, err := os.Open(filepath.Join(dir, "EXPECTED-cordova-ios-8.1.1.jsonl"))
	if err != nil {
		t.Skipf("%v: nothing to compare with", err)
	}
	defer list.Close()
	lines := bufio.NewScanner(list)
	lines.Buffer(nil, 1<<20)
	compared := 0
	for lines.Scan() {
		var theirs derived
		if err := json.Unmarshal(lines.Bytes(), &theirs); err != nil {
			t.Fatal(err)
		}
		if theirs.Failure != "" {
			continue // cordova prepare fails: there is nothing to agree with
		}
		t.Run(theirs.File, func(t *testing.T) {
			compared += compareATS(t, &theirs, filepath.Join(dir, theirs.File))
		})
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if compared < 5 {
		t.Errorf("%d exceptions were compared: the files are not those that the test is about", compared)
	}
}

func compareATS(t *testing.T, theirs *derived, name string) (compared int) {
	everything, ours := readATS(t, writeATS(t, readConfig(t, name)))
	if everything && !theirs.ATS.Everything {
		t.Error("we switch transport security off, and cordova-ios does not")
	}
	for host, exception := range theirs.ATS.Domains {
		below, ok := ours[host]
		switch {
		case !exception.Cleartext:
			// An entry without effect: a host over https needs no exception.
			if ok {
				t.Errorf("%s: we permit cleartext, and cordova-ios does not", host)
			}
		case !ok:
			t.Errorf("%s: cordova-ios permits cleartext, and we do not", host)
		case exception.Below && !below:
			t.Errorf("%s: cordova-ios covers the names below it, and we do not", host)
		default:
			compared++
		}
	}
	for host := range ours {
		if !theirs.ATS.Domains[host].Cleartext {
			t.Errorf("%s: we permit cleartext, and cordova-ios does not", host)
		}
	}
	return compared
}

// readATS reads the exported dictionary: whether it is switched off, and for
// each host that may use cleartext whether the names below may as well.
func readATS(t *testing.T, content []byte) (everything bool, hosts map[string]bool) {
	t.Helper()
	type node struct {
		XMLName xml.Name
		Text    string `xml:",chardata"`
		Nodes   []node `xml:",any"`
	}
	var root node
	if err := xml.Unmarshal(content, &root); err != nil {
		t.Fatal(err)
	}
	entries := func(n node) map[string]node {
		all := map[string]node{}
		for i := 0; i+1 < len(n.Nodes); i += 2 {
			all[n.Nodes[i].Text] = n.Nodes[i+1]
		}
		return all
	}
	ats := entries(entries(root.Nodes[0])["NSAppTransportSecurity"])
	hosts = map[string]bool{}
	for host, exception := range entries(ats["NSExceptionDomains"]) {
		keys := entries(exception)
		if keys["NSExceptionAllowsInsecureHTTPLoads"].XMLName.Local == "true" {
			hosts[host] = keys["NSIncludesSubdomains"].XMLName.Local == "true"
		}
	}
	return ats["NSAllowsArbitraryLoads"].XMLName.Local == "true", hosts
}

// writeATS exports the dictionary of a config.xml.
func writeATS(t *testing.T, doc *configxml.Document) []byte {
	t.Helper()
	e, ok := export.Find("ios-ats")
	if !ok {
		t.Fatal("there is no format ios-ats")
	}
	return e.Export(export.NewSource(doc, nil)).Content
}
