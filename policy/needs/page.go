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

func ofTag(p *app.Page, tag *app.Tag) []Need {
	var list []Need
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
