package project

import (
	"bytes"
	"html"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/capacitor"
	"github.com/cordon-sec/cordon/policy/csp"
	"github.com/cordon-sec/cordon/policy/export"
	"github.com/cordon-sec/cordon/policy/needs"
)

// Shared is what all pages of an app have to do with their policies.
type Shared struct {
	// Needs are what they need besides hosts.
	Needs []needs.Need
	// Grants say which needs are met.
	Grants needs.Grants
	// Native is where CapacitorHttp is switched on, the zero Place if it is not.
	Native policy.Place
}

// SharedBy looks at an app on a platform, "" for all. The error is a
// *needs.GrantError.
func SharedBy(a *app.App, platform string) (Shared, error) {
	grants, err := needs.ReadGrants(a.Ships(), platform)
	if err != nil {
		return Shared{}, err
	}
	return Shared{Needs: needs.Of(a, platform), Grants: grants, Native: nativeRequests(a)}, nil
}

// nativeRequests is where CapacitorHttp is switched on.
func nativeRequests(a *app.App) policy.Place {
	var c *capacitor.Config
	if doc := a.Ships(); doc != nil {
		c = doc.Capacitor()
	}
	if c == nil && a.Capacitor.Data != nil {
		c, _ = capacitor.Read(a.Capacitor.Name, a.Capacitor.Data) // check complains about one that cannot be read
	}
	if c == nil || !c.Plugins.CapacitorHTTP.OnAndroid(false) && !c.Plugins.CapacitorHTTP.OnIOS(false) {
		return policy.Place{}
	}
	return c.Plugins.CapacitorHTTP.Place
}

// CSPPage returns what an export of a Content-Security-Policy has to know of a
// page.
func CSPPage(p *app.Page, shared Shared) export.Page {
	page := export.Page{
		Needs:  slices.Concat(shared.Needs, needs.OfPage(p)),
		Grants: shared.Grants,
		Native: shared.Native,
	}
	if _, attr, ok := policyTag(p); ok {
		page.Existing = csp.Parse(attr.Value)
	}
	addTags(&page, p)
	addFrames(&page, p, policy.Place{}, 0)
	return page
}

// addTags adds what the markup of a page has: scripts and styles, in it and from
// elsewhere.
func addTags(page *export.Page, p *app.Page) {
	for i := range p.Tags {
		tag := &p.Tags[i]
		switch {
		case tag.Name == "script" && remote(tag.Value("src")):
			page.Scripts = append(page.Scripts, absolute(tag.Value("src")))
		case tag.Name == "script" && isRead(tag):
			page.InlineScripts = append(page.InlineScripts, text(p, tag))
		case tag.Name == "link" && isStylesheet(tag) && remote(tag.Value("href")):
			page.Styles = append(page.Styles, absolute(tag.Value("href")))
		case tag.Name == "style":
			page.InlineStyles = append(page.InlineStyles, text(p, tag))
		}
		for _, a := range tag.Attrs {
			switch {
			case a.Name == "style":
				page.StyleAttributes = append(page.StyleAttributes, a.Value)
			case strings.HasPrefix(a.Name, "on") && len(a.Name) > 2:
				page.Handlers = append(page.Handlers, a.Value)
			case strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Value)), "javascript:"):
				page.ScriptLinks = true
			}
		}
	}
	for _, span := range p.Inline {
		page.InlineScripts = append(page.InlineScripts, string(p.Data[span.Start:span.End]))
	}
}

// mostNested bounds how deep frames whose pages stand in the markup stand in each
// other.
const mostNested = 3

// addFrames adds what the pages need that stand in the markup of frames (srcdoc): the
// policy of the page around them holds them too. A place is that of the outermost one,
// since the inner ones have none in the file.
func addFrames(page *export.Page, p *app.Page, outer policy.Place, depth int) {
	for i := range p.Tags {
		a, ok := p.Tags[i].Attr("srcdoc")
		if !ok || p.Tags[i].Name != "iframe" || depth == mostNested {
			continue
		}
		at := outer
		if at.IsZero() {
			at = p.Place(a.ValueStart, a.ValueEnd)
		}
		inner := ReadPage(app.File{Name: p.Name, Data: []byte(a.Value)})
		addTags(page, &inner)
		addFrames(page, &inner, at, depth+1)
		for _, need := range needs.OfPage(&inner) {
			need.Place = at
			page.Needs = append(page.Needs, need)
		}
	}
}

// AllPages returns what an export of one Content-Security-Policy for all pages of an
// app has to know. The error is a *needs.GrantError.
func AllPages(a *app.App) (export.Page, error) {
	shared, err := SharedBy(a, "")
	if err != nil {
		return export.Page{}, err
	}
	all := export.Page{Needs: shared.Needs, Grants: shared.Grants, Native: shared.Native}
	for i := range a.Pages {
		page := CSPPage(&a.Pages[i], Shared{Grants: shared.Grants})
		all.Needs = append(all.Needs, page.Needs...)
		all.Scripts = append(all.Scripts, page.Scripts...)
		all.Styles = append(all.Styles, page.Styles...)
		all.InlineScripts = append(all.InlineScripts, page.InlineScripts...)
		all.InlineStyles = append(all.InlineStyles, page.InlineStyles...)
		all.Handlers = append(all.Handlers, page.Handlers...)
		all.StyleAttributes = append(all.StyleAttributes, page.StyleAttributes...)
		all.ScriptLinks = all.ScriptLinks || page.ScriptLinks
	}
	return all, nil
}

// isRead reports whether an inline script is no JavaScript, and yet something that
// a browser takes only where the policy lets it.
func isRead(tag *app.Tag) bool {
	kind := strings.ToLower(strings.TrimSpace(tag.Value("type")))
	_, external := tag.Attr("src")
	return !external && (kind == "importmap" || kind == "speculationrules")
}

// text is what stands in an element, as browsers hash it: line ends are one
// character.
func text(p *app.Page, tag *app.Tag) string {
	span := p.Inside(tag)
	return string(p.Data[span.Start:span.End])
}

func isStylesheet(tag *app.Tag) bool {
	for _, word := range strings.Fields(strings.ToLower(tag.Value("rel"))) {
		if word == "stylesheet" {
			return true
		}
	}
	return false
}

// remote reports whether a URL of a page leads to another place.
func remote(url string) bool {
	lower := strings.ToLower(url)
	return strings.HasPrefix(lower, "https://") || strings.HasPrefix(lower, "http://") || strings.HasPrefix(url, "//")
}

// absolute gives a URL without scheme the one that pages have.
func absolute(url string) string {
	if strings.HasPrefix(url, "//") {
		return "https:" + url
	}
	return url
}

// policyTag returns the page's meta tag with its policy, if a browser obeys it
// from the start: in the head, and before everything that loads or runs.
func policyTag(p *app.Page) (*app.Tag, app.TagAttr, bool) {
	for i := range p.Tags {
		tag := &p.Tags[i]
		if !tag.InHead || tag.Name != "meta" && tag.Name != "head" && tag.Name != "base" &&
			tag.Name != "html" {
			break
		}
		if tag.Name == "meta" && strings.EqualFold(tag.Value("http-equiv"), "content-security-policy") {
			if attr, ok := tag.Attr("content"); ok {
				return tag, attr, true
			}
		}
	}
	return nil, app.TagAttr{}, false
}

// withPolicy returns the page with the policy in its meta tag: the one that it
// has, or a new one in front of everything else in its head. ok is false for a
// file without a head, and for one too broken for the tag to be read again.
func withPolicy(p *app.Page, content string) (data []byte, ok bool) {
	if data, ok = insertPolicy(p, content); !ok {
		return nil, false
	}
	made := ReadPage(app.File{Name: p.Name, Data: data})
	_, attr, found := policyTag(&made)
	return data, found && attr.Value == content
}

func insertPolicy(p *app.Page, content string) (data []byte, ok bool) {
	value := html.EscapeString(strings.ReplaceAll(content, "'", "\x00"))
	value = strings.ReplaceAll(value, "\x00", "'") // quotes around keywords stay readable
	if _, attr, has := policyTag(p); has {
		start, end := attr.ValueStart, attr.ValueEnd
		if start == 0 || p.Data[start-1] != '"' {
			// The value stands without quotes or in single ones, which the
			// keywords of a policy would end.
			if start > 0 && p.Data[start-1] == '\'' && end < len(p.Data) && p.Data[end] == '\'' {
				start, end = start-1, end+1
			}
			value = `"` + value + `"`
		}
		return splice(p.Data, start, end, value), true
	}
	for i := range p.Tags {
		if tag := &p.Tags[i]; tag.Name == "head" {
			line := lineEnd(p.Data)
			return splice(p.Data, tag.End, tag.End,
				line+`<meta http-equiv="Content-Security-Policy" content="`+value+`">`), true
		}
	}
	return nil, false
}

func splice(data []byte, start, end int, insert string) []byte {
	made := make([]byte, 0, len(data)+len(insert))
	made = append(made, data[:start]...)
	made = append(made, insert...)
	return append(made, data[end:]...)
}

// lineEnd returns the line end that a file uses.
func lineEnd(data []byte) string {
	if bytes.Contains(data, []byte("\r\n")) {
		return "\r\n"
	}
	return "\n"
}
