package artifact

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"unicode/utf8"
)

// Bounds on what is opened. The largest real apps have some 50,000 entries.
const (
	// MaxEntries is how many entries a package may have.
	MaxEntries = 200_000
	// MaxTotal is how many bytes its entries may unpack to in all.
	MaxTotal = 16 << 30
	// MaxRatio is how many times larger than packed an entry of more than
	// ratioFrom bytes may be: Deflate cannot do more than 1032, and real files
	// stay far below.
	MaxRatio  = 500
	ratioFrom = 1 << 20
	// MaxEntry is the largest entry that is taken apart here: the manifest, the
	// table of resources, an XML resource.
	MaxEntry = 64 << 20
	// MaxUnpacked is how many bytes those entries may come to in all, MaxXML how many
	// of them may be XML, and MaxText how many bytes of text may stand for that.
	MaxUnpacked = 128 << 20
	MaxXML      = 2_000
	MaxText     = 32 << 20
)

// budget counts what taking one package apart has come to.
type budget struct{ unpacked, files, text int }

// file counts an entry that may be XML, before it is opened.
func (b *budget) file(f *zip.File) error {
	if b.files++; b.files > MaxXML {
		return &Error{f.Name, fmt.Sprintf("the package has more than the %d XML resources that are read", MaxXML)}
	}
	return nil
}

// made counts the text that stands for an entry.
func (b *budget) made(f *zip.File, text []byte) error {
	if b.text += len(text); b.text > MaxText {
		return &Error{f.Name, fmt.Sprintf("the package's XML comes to more than the %d bytes of text that are read",
			MaxText)}
	}
	return nil
}

// entries lists the files of an archive, checked.
func entries(r io.ReaderAt, size int64) (map[string]*zip.File, error) {
	archive, err := zip.NewReader(r, size)
	if err != nil {
		return nil, &Error{Msg: "it is not a ZIP archive, or cut short: " + err.Error()}
	}
	if len(archive.File) > MaxEntries {
		return nil, &Error{Msg: fmt.Sprintf("it has %d entries, more than the %d that are read", len(archive.File),
			MaxEntries)}
	}
	files := make(map[string]*zip.File, len(archive.File))
	folders := make(map[string]bool)
	var packed, total uint64
	for _, f := range archive.File {
		if why := refused(f); why != "" {
			return nil, &Error{f.Name, why}
		}
		packed, total = packed+f.CompressedSize64, total+f.UncompressedSize64
		if packed > uint64(size) {
			return nil, &Error{f.Name, "its bytes belong to another entry as well"}
		}
		if total > MaxTotal {
			return nil, &Error{f.Name, fmt.Sprintf("the entries unpack to more than %d bytes", int64(MaxTotal))}
		}
		name, folder := strings.CutSuffix(f.Name, "/")
		if files[name] != nil || !folder && folders[name] {
			return nil, &Error{f.Name, "it occurs twice"}
		}
		if folder {
			folders[name] = true
		} else {
			files[name] = f
		}
		for i := strings.LastIndexByte(name, '/'); i > 0; i = strings.LastIndexByte(name[:i], '/') {
			folders[name[:i]] = true
		}
	}
	for name := range files {
		if folders[name] {
			return nil, &Error{name, "it is a file and a folder"}
		}
	}
	return files, nil
}

// refused says why an entry is not taken, "" if it is.
func refused(f *zip.File) string {
	name := strings.TrimSuffix(f.Name, "/")
	switch mode := f.Mode(); {
	case !utf8.ValidString(name), strings.ContainsAny(name, "\x00\n\r"):
		return "its name must be UTF-8 without control characters"
	case strings.Contains(name, `\`):
		return "its name must not hold a backslash"
	case strings.HasPrefix(name, "/"):
		return "its name must not be absolute"
	case !fs.ValidPath(name) || name == ".":
		return "its name must be a plain path, without .. and empty parts"
	case mode&fs.ModeSymlink != 0:
		return "it must not be a symbolic link"
	case mode&fs.ModeType != 0 && !mode.IsDir():
		return "it must be an ordinary file"
	case f.Flags&1 != 0:
		return "it must not be encrypted"
	case f.Method != zip.Store && f.Method != zip.Deflate && !mode.IsDir():
		return fmt.Sprintf("it must be stored or deflated, not packed by method %d", f.Method)
	}
	return ""
}

// bomb says why an entry is not unpacked, nil if it may be. It is asked only of what is
// opened: a package may hold a file of zeros that nothing here looks at.
func bomb(f *zip.File) error {
	if f.UncompressedSize64 > ratioFrom && f.UncompressedSize64/MaxRatio > f.CompressedSize64 {
		return fmt.Errorf("it unpacks from %d to %d bytes, more than %d times", f.CompressedSize64,
			f.UncompressedSize64, MaxRatio)
	}
	return nil
}

// unpack reads an entry that is taken apart here.
func (b *budget) unpack(f *zip.File) ([]byte, error) {
	if f.UncompressedSize64 > MaxEntry {
		return nil, &Error{f.Name, fmt.Sprintf("it has %d bytes, more than the %d that are read", f.UncompressedSize64,
			MaxEntry)}
	}
	if err := bomb(f); err != nil {
		return nil, &Error{f.Name, err.Error()}
	}
	r, err := f.Open()
	if err != nil {
		return nil, &Error{f.Name, "it cannot be unpacked: " + err.Error()}
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, MaxEntry+1))
	if err == nil && len(data) > MaxEntry {
		err = errors.New("it is larger than it says")
	}
	if err != nil {
		return nil, &Error{f.Name, "it cannot be unpacked: " + err.Error()}
	}
	if b.unpacked += len(data); b.unpacked > MaxUnpacked {
		return nil, &Error{f.Name, fmt.Sprintf("with it, what is read of the package comes to more than %d bytes",
			MaxUnpacked)}
	}
	return data, nil
}
