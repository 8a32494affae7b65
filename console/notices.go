package console

import (
	"crypto/rand"
	"sync"
)

// mostNotices bounds how many sentences wait to be shown.
const mostNotices = 64

// notices are sentences that the next page shows, once. The page's address holds
// the id alone, so that no link can put a sentence of its own on the operator's
// page. It is safe for concurrent use.
type notices struct {
	mu    sync.Mutex
	texts map[string]string
	order []string
}

// put keeps a sentence and returns its id.
func (n *notices) put(text string) (id string) {
	id = rand.Text()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.texts == nil {
		n.texts = map[string]string{}
	}
	n.texts[id] = text
	if n.order = append(n.order, id); len(n.order) > mostNotices {
		delete(n.texts, n.order[0])
		n.order = n.order[1:]
	}
	return id
}

// take returns the sentence of an id, once; "" for an id that is not known.
func (n *notices) take(id string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	text := n.texts[id]
	delete(n.texts, id)
	return text
}
