package configxml

import (
	"bytes"
	"strings"
)

// begin checks size and encoding before anything is read.
func (p *parser) begin() error {
	data := p.data
	if len(data) > MaxSize {
		p.data, p.doc.data = nil, nil
		return p.fail(0, 0, "split the list, or check that this is the right file",
			"the file has %d bytes, more than the %d that are read", len(data), MaxSize)
	}
	if name := wideEncoding(data); name != "" {
		return p.fail(0, 0, "save the file as UTF-8", "the file is written in %s, which is not read", name)
	}
	if bytes.HasPrefix(data, []byte("\xEF\xBB\xBF")) {
		p.first = 3
	}
	content := bytes.TrimLeft(data[p.first:], " \t\r\n")
	if len(content) == 0 {
		return p.fail(p.first, p.first, "a config.xml needs a <widget> element", "the file is empty")
	}
	if content[0] != '<' {
		at := len(data) - len(content)
		return p.fail(at, at+1, "give a config.xml",
			"not an XML file: it begins with the byte 0x%02X instead of <", content[0])
	}
	return p.declaredEncoding()
}

func wideEncoding(data []byte) string {
	for _, mark := range []struct{ bytes, name string }{
		{"\x00\x00\xFE\xFF", "UTF-32 (big-endian)"},
		{"\xFF\xFE\x00\x00", "UTF-32 (little-endian)"},
		{"\xFE\xFF", "UTF-16 (big-endian)"},
		{"\xFF\xFE", "UTF-16 (little-endian)"},
		{"\x00<\x00", "UTF-16 (big-endian)"},
		{"<\x00", "UTF-16 (little-endian)"},
	} {
		if bytes.HasPrefix(data, []byte(mark.bytes)) {
			return mark.name
		}
	}
	return ""
}

// declaredEncoding looks for the declaration's encoding before the characters
// are checked, because it says what they are. UTF-8 and US-ASCII are read; of
// other encodings that agree with ASCII only files of pure ASCII are.
func (p *parser) declaredEncoding() error {
	head := string(p.data[p.first:min(len(p.data), p.first+64<<10)])
	start := skipComments(head)
	if rest := head[start:]; !strings.HasPrefix(rest, "<?xml") || len(rest) < 6 || !isSpace(rest[5]) {
		return nil
	}
	end := strings.Index(head[start:], "?>")
	if end < 0 {
		return nil
	}
	declaration := head[start : start+end]
	at := strings.Index(declaration, "encoding")
	if at < 0 {
		return nil
	}
	value := strings.TrimLeft(declaration[at+len("encoding"):], " \t\r\n=")
	value = strings.Trim(value, "'\" \t\r\n")
	if i := strings.IndexAny(value, "'\" \t\r\n"); i >= 0 {
		value = value[:i]
	}
	switch name := strings.ToLower(value); {
	case name == "utf-8" || name == "utf8":
	case name == "us-ascii" || name == "ascii" || name == "latin1" ||
		strings.HasPrefix(name, "iso-8859-") || strings.HasPrefix(name, "windows-125"):
		p.doc.encoding = value
	default:
		offset := p.first + start
		return p.fail(offset, offset+end+2, "save the file as UTF-8 and say encoding=\"utf-8\"",
			"the encoding %q is not read", value)
	}
	return nil
}

// skipComments returns the offset of the first thing that is neither blank
// space nor a comment.
func skipComments(s string) int {
	for i := 0; ; {
		i += len(s[i:]) - len(strings.TrimLeft(s[i:], " \t\r\n"))
		if !strings.HasPrefix(s[i:], "<!--") {
			return i
		}
		end := strings.Index(s[i+4:], "-->")
		if end < 0 {
			return i
		}
		i += 4 + end + 3
	}
}

// declaration checks the XML declaration's form; its encoding was read before.
func (p *parser) declaration(start, end int) error {
	malformed := func() error {
		return p.fail(start, end+2, `write <?xml version="1.0" encoding="utf-8"?>`, "the XML declaration is malformed")
	}
	at := start + len("<?xml")
	seen := map[string]string{}
	for {
		at = p.skipSpace(at)
		if at >= end {
			break
		}
		name := at
		for at < end && isNameByte(p.text[at]) {
			at++
		}
		key := p.text[name:at]
		at = p.skipSpace(at)
		if key == "" || at >= end || p.text[at] != '=' {
			return malformed()
		}
		at = p.skipSpace(at + 1)
		if at >= end || p.text[at] != '"' && p.text[at] != '\'' {
			return malformed()
		}
		length := strings.IndexByte(p.text[at+1:end], p.text[at])
		if _, twice := seen[key]; length < 0 || twice {
			return malformed()
		}
		seen[key] = p.text[at+1 : at+1+length]
		at += length + 2
	}
	if !strings.HasPrefix(seen["version"], "1.") {
		return malformed()
	}
	return nil
}
