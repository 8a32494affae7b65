package main

import (
	"bytes"
	"embed"
	"fmt"
	"html"
	"strings"
	"text/template"
)

//go:embed newapp
var newAppFiles embed.FS

// newAppTemplates are the page and the script of a new app. What a person named
// was checked before (complete), and is escaped for HTML besides.
var newAppTemplates = template.Must(template.ParseFS(newAppFiles, "newapp/index.html", "newapp/app.js"))

// page makes one of the files from its template.
func (a newApp) page(name string) ([]byte, error) {
	view := struct{ Name, CSP, Table, Host string }{Name: html.EscapeString(a.Name), CSP: html.EscapeString(a.csp())}
	if strings.HasSuffix(name, ".js") {
		view.Name = strings.Join(strings.Fields(a.Name), " ") // in a comment of one line
	}
	if len(a.Tables) > 0 {
		view.Table = a.Tables[0]
	}
	if len(a.Hosts) > 0 {
		view.Host = a.Hosts[0]
	}
	var b bytes.Buffer
	if err := newAppTemplates.ExecuteTemplate(&b, name, view); err != nil {
		return nil, fmt.Errorf("make %s: %w", name, err)
	}
	return b.Bytes(), nil
}

// csp is the policy that the page is shipped with.
func (a newApp) csp() string {
	const rest = "; object-src 'none'; base-uri 'none'"
	if len(a.Hosts) == 0 {
		return "default-src 'self'" + rest
	}
	hosts := " https://" + strings.Join(a.Hosts, " https://")
	return "default-src 'self'; connect-src 'self'" + hosts + "; img-src 'self'" + hosts + rest
}

// accessLines are the lines for the hosts, or one in a comment that shows how.
func (a newApp) accessLines() string {
	var lines strings.Builder
	for _, host := range a.Hosts {
		fmt.Fprintf(&lines, "    <access origin=\"https://%s\" />\n", escaped(host))
	}
	if len(a.Hosts) == 0 {
		lines.WriteString("    <!-- <access origin=\"https://api.example.com\" /> lets the app reach that host -->\n")
	}
	return lines.String()
}
