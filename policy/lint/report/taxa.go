package report

import (
	"strings"

	"github.com/cordon-sec/cordon/policy/lint"
)

// sarifTaxonomy is a catalogue as far as rules of the run refer to it.
type sarifTaxonomy struct {
	Name             string       `json:"name"`
	FullName         string       `json:"fullName"`
	Version          string       `json:"version"`
	Organization     string       `json:"organization"`
	InformationURI   string       `json:"informationUri"`
	ShortDescription sarifText    `json:"shortDescription"`
	Taxa             []sarifTaxon `json:"taxa"`
}

type sarifTaxon struct {
	ID               string    `json:"id"`
	ShortDescription sarifText `json:"shortDescription"`
	HelpURI          string    `json:"helpUri"`
}

// sarifComponent refers to a taxonomy of the run.
type sarifComponent struct {
	Name  string `json:"name"`
	Index int    `json:"index"`
}

type sarifRelationship struct {
	Target sarifTarget `json:"target"`
	Kinds  []string    `json:"kinds"`
}

type sarifTarget struct {
	ID        string         `json:"id"`
	Index     int            `json:"index"`
	Component sarifComponent `json:"toolComponent"`
}

// taxa collects what the rules of a run refer to.
type taxa struct {
	taxonomies []sarifTaxonomy
	index      map[string]int // of a taxonomy by its name, of a taxon by its id
}

func newTaxa() *taxa { return &taxa{index: make(map[string]int)} }

// of returns a rule's relationships, and its tags with those that people filter by.
func (t *taxa) of(r *lint.Rule, tags []string) ([]sarifRelationship, []string) {
	var list []sarifRelationship
	catalogues := lint.Catalogues()
	for i := range catalogues {
		c := &catalogues[i]
		for _, e := range c.Entries(r) {
			list = append(list, sarifRelationship{Target: t.add(c, e), Kinds: []string{"relevant"}})
			tag := e.ID
			if c.Name == "CWE" {
				tag = "external/cwe/" + strings.ToLower(e.ID) // as GitHub reads it
			}
			tags = append(tags, tag)
		}
	}
	return list, tags
}

func (t *taxa) add(c *lint.Catalogue, e lint.Entry) sarifTarget {
	at, ok := t.index[c.Name]
	if !ok {
		at = len(t.taxonomies)
		t.index[c.Name] = at
		t.taxonomies = append(t.taxonomies, sarifTaxonomy{Name: c.Name, FullName: c.Title, Version: c.Version,
			Organization: c.Organization, InformationURI: c.Page, ShortDescription: sarifText{Text: c.Title}})
	}
	taxonomy := &t.taxonomies[at]
	n, ok := t.index[e.ID]
	if !ok {
		n = len(taxonomy.Taxa)
		t.index[e.ID] = n
		taxonomy.Taxa = append(taxonomy.Taxa,
			sarifTaxon{ID: e.ID, ShortDescription: sarifText{Text: e.Title}, HelpURI: e.Page})
	}
	return sarifTarget{ID: e.ID, Index: n, Component: sarifComponent{Name: c.Name, Index: at}}
}

// written returns the taxonomies and the references to them.
func (t *taxa) written() ([]sarifTaxonomy, []sarifComponent) {
	var list []sarifComponent
	for i := range t.taxonomies {
		list = append(list, sarifComponent{Name: t.taxonomies[i].Name, Index: i})
	}
	return t.taxonomies, list
}
