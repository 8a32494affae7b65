package lint

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sort"

	"github.com/cordon-sec/cordon/policy/app"
)

// Baseline is what a project is known to have wrong: findings in it are not
// reported again. A finding is known by its rule, its file and what stands at
// its place, not by its line, so that edits elsewhere do not bring it back.
type Baseline struct {
	// Version is the format's version, 1.
	Version  int     `json:"version"`
	Findings []Known `json:"findings"`
}

// Known is one kind of finding in a baseline.
type Known struct {
	Rule string `json:"rule"`
	File string `json:"file"`
	// Fingerprint is a hash of rule, file and the text at the place.
	Fingerprint string `json:"fingerprint"`
	// Count is how many such findings there are.
	Count int `json:"count"`
}

// Fingerprint identifies a finding of an app independently of its line: by its
// rule, its file and what stands at its place, or its message where that is a
// secret.
func Fingerprint(a *app.App, f *Finding) string {
	text := string(bytes.Join(bytes.Fields(textOf(a, f)), []byte(" ")))
	if f.Secret {
		text = f.Message
	}
	sum := sha256.Sum256([]byte(f.Rule.ID + "\x00" + f.Place.File + "\x00" + text))
	return hex.EncodeToString(sum[:12])
}

// NewBaseline makes a baseline of findings.
func NewBaseline(p *app.App, findings []Finding) Baseline {
	index := make(map[string]*Known)
	for i := range findings {
		f := &findings[i]
		print := Fingerprint(p, f)
		if k, ok := index[print]; ok {
			k.Count++
			continue
		}
		index[print] = &Known{Rule: f.Rule.ID, File: f.Place.File, Fingerprint: print, Count: 1}
	}
	b := Baseline{Version: 1, Findings: []Known{}}
	for _, key := range slices.Sorted(maps.Keys(index)) {
		b.Findings = append(b.Findings, *index[key])
	}
	sort.SliceStable(b.Findings, func(i, j int) bool {
		x, y := b.Findings[i], b.Findings[j]
		if x.File != y.File {
			return x.File < y.File
		}
		return x.Rule < y.Rule
	})
	return b
}

// ParseBaseline reads a baseline file.
func ParseBaseline(data []byte) (Baseline, error) {
	var b Baseline
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&b); err != nil {
		return Baseline{}, fmt.Errorf("read baseline: %w", err)
	}
	if b.Version != 1 {
		return Baseline{}, fmt.Errorf("read baseline: version %d is not known (known: 1)", b.Version)
	}
	return b, nil
}

// Encode writes the baseline as a file.
func (b Baseline) Encode() ([]byte, error) {
	data, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write baseline: %w", err)
	}
	return append(data, '\n'), nil
}

// New returns the findings that are not in the baseline, in their order, and
// how many were.
func (b Baseline) New(p *app.App, findings []Finding) (fresh []Finding, known int) {
	left := make(map[string]int, len(b.Findings))
	for _, k := range b.Findings {
		left[k.Fingerprint] += k.Count
	}
	for i := range findings {
		f := &findings[i]
		if print := Fingerprint(p, f); left[print] > 0 {
			left[print]--
			known++
			continue
		}
		fresh = append(fresh, *f)
	}
	return fresh, known
}

// textOf returns the bytes at a finding's place.
func textOf(a *app.App, f *Finding) []byte {
	data := a.Content(f.Place.File)
	start := min(max(f.Place.Start, 0), len(data))
	return data[start:min(max(f.Place.End, start), len(data))]
}
