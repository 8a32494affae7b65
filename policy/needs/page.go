package needs

import (
	"strings"

	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/script"
)

// tagURLs says which directive governs the URLs of a tag.
var tagURLs = []struct{ tag, attr, directive string }{
	{"img", "src", "img-src"}, {"img", "srcset", "img-src"}, {"image", "href", "img-src"},
	{"image", "xlink:href", "img-src"}, {"input", "src", "img-src"}, {"video", "poster", "img-src"},
	{"link", "href", "img-src"}, {"video", "src", "media-src"}, {"audio", "src", "media-src"},
	{"source", "src", "media-src"}, {"source", "srcset", "img-src"}, {"track", "src", "media-src"},
	{"iframe", "src", "frame-src"}, {"frame", "src", "frame-src"}, {"script", "src", "script-src-elem"},
}

// schemes are those of URLs in the markup of pages that lead to no host.
var schemes = []string{"data:", "blob:", "cdvfile:", "content:", "filesystem:", "ionic:", "capacitor:",
	"cdvphotolibrary:"}

// OfPage lists what one page needs by itself: its markup, its style elements and
// its inline scripts.
func OfPage(p *app.Page) []Need {
	var list []Need
	for i := range p.Tags {
		tag := &p.Tags[i]
		list = append(list, ofTag(p, tag)...)
		if tag.Name == "style" {
			list = append(list, inStyles(&p.File, p.Inside(tag))...)
		}
		if style, ok := tag.Attr("style"); ok {
			list = append(list, inStyles(&p.File, app.Span{Start: style.ValueStart, End: style.ValueEnd})...)
		}
	}
	for _, span := range p.Inline {
		list = append(list, InScript(script.New(&p.File, span))...)
	}
	return list
}

// sourceOf is the source expression that covers a URL of a page.
func sourceOf(url string) string {
	url = strings.ToLower(strings.TrimSpace(url))
	scheme, rest, ok := strings.Cut(url, ":")
	switch {
	case strings.HasPrefix(url, "//"):
		scheme, rest = "https", url
	case !ok || strings.ContainsAny(scheme, "/?#"):
		return "'self'"
	}
	host, hierarchical := strings.CutPrefix(rest, "//")
	if !hierarchical {
		return scheme + ":"
	}
	if i := strings.IndexAny(host, "/?#"); i >= 0 {
		host = host[:i]
	}
	return scheme + "://" + host
}

// plugged says which attribute has the URL of what object-src governs.
var plugged = map[string]string{"object": "data", "embed": "src"}

// noObjects says what becomes of plug-ins.
const noObjects = ": object-src is 'none' in every policy that is worth having; show a picture by <img> and a page " +
	"by <iframe>"

func ofTag(p *app.Page, tag *app.Tag) []Need {
	var list []Need
	if a, ok := tag.Attr(plugged[tag.Name]); ok {
		list = append(list, Need{Directive: "object-src", Source: sourceOf(a.Value), What: "has an <" + tag.Name + ">",
			Fails: noObjects, Place: p.Place(a.ValueStart, a.ValueEnd)})
	}
	for _, row := range tagURLs {
		a, ok := tag.Attr(row.attr)
		if !ok || row.tag != tag.Name ||
			row.tag == "link" && !strings.Contains(strings.ToLower(tag.Value("rel")), "icon") {
			continue
		}
		value := strings.ToLower(strings.TrimSpace(a.Value))
		for _, scheme := range schemes {
			if strings.HasPrefix(value, scheme) {
				list = append(list, Need{Directive: row.directive, Source: scheme,
					What: "has a <" + tag.Name + "> with a URL of " + scheme, Place: p.Place(a.ValueStart, a.ValueEnd)})
			}
		}
	}
	return list
}
