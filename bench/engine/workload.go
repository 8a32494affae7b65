package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/cordon-sec/cordon/policy"
)

// workload is a list of rules and the URLs that are asked.
type workload struct {
	rules int
	urls  [][]byte
	texts []string // the same URLs as strings
	// policy is the list compiled, once somebody asked for it.
	policy *policy.Policy
}

const askedURLs = 1 << 17

func newWorkload(rules int) *workload {
	random := rand.New(rand.NewPCG(7, uint64(rules)))
	w := &workload{rules: rules}
	for at := range askedURLs {
		i := random.IntN(rules)
		url := "https://" + strings.Replace(host(i), ".shop", ".store", 1) + path(at)
		if at%10 < 3 {
			url = covered(i, at)
		}
		w.urls = append(w.urls, []byte(url))
		w.texts = append(w.texts, url)
	}
	return w
}

// covered is a URL that rule i covers.
func covered(i, at int) string {
	scheme, front, port, file := "https://", "", "", path(at)
	switch i % 10 {
	case 1, 4, 7:
		front = "www."
	case 2:
		port = fmt.Sprintf(":%d", 8000+i%1000)
	case 5, 8:
		file = fmt.Sprintf("/v%d/api/items/%d", i%7, at)
	case 9:
		scheme = "http://"
	}
	return scheme + front + host(i) + port + file
}

func host(i int) string {
	return fmt.Sprintf("%s-%d.shop%d.example", [...]string{"api", "cdn", "img", "login", "static"}[i%5], i, i%977)
}

func path(at int) string { return fmt.Sprintf("/v%d/orders/%d?page=%d", at%9, at, at%5) }

// origin is rule i as config.xml has it.
func origin(i int) string {
	switch i % 10 {
	case 1, 4, 7:
		return "https://*." + host(i)
	case 2:
		return fmt.Sprintf("https://%s:%d", host(i), 8000+i%1000)
	case 5, 8:
		return fmt.Sprintf("https://%s/v%d/api/*", host(i), i%7)
	case 9:
		return "http://" + host(i)
	}
	return "https://" + host(i)
}

// config is the whole list as a config.xml.
func (w *workload) config() []byte {
	var b bytes.Buffer
	b.WriteString("<?xml version='1.0' encoding='utf-8'?>\n<widget id=\"org.example.bench\" version=\"1.0.0\" xmlns=\"http://www.w3.org/ns/widgets\">\n")
	for i := range w.rules {
		fmt.Fprintf(&b, "  <access origin=\"%s\" />\n", origin(i))
	}
	b.WriteString("</widget>\n")
	return b.Bytes()
}
