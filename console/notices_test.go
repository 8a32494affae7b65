package console

import "testing"

// No link puts a sentence on the operator's page: only what the console itself
// did is told, and once.
func TestNoticesCannotBeLinked(t *testing.T) {
	var n notices
	id := n.put("Deleted row a")
	if got := n.take("Deleted row a"); got != "" {
		t.Errorf("a sentence in the address is shown: %q", got)
	}
	if got := n.take(id); got != "Deleted row a" {
		t.Errorf("the notice is %q", got)
	}
	if got := n.take(id); got != "" {
		t.Errorf("the notice is shown again: %q", got)
	}
	first := n.put("first")
	for range mostNotices {
		n.put("another")
	}
	if got := n.take(first); got != "" || len(n.texts) != mostNotices {
		t.Errorf("%d notices are kept, and the first one is %q", len(n.texts), got)
	}
}
