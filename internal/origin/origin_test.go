package origin_test

import (
	"context"
	"net/url"
	"testing"

	"github.com/cordon-sec/cordon/internal/origin"
)

func TestOf(t *testing.T) {
	public := &url.URL{Scheme: "https", Host: "app.example"}
	local := &url.URL{Scheme: "http", Host: "localhost:8443"}
	if got := origin.Of(t.Context(), public); got != public {
		t.Errorf("without a mark: %v, want the public address", got)
	}
	if got := origin.Of(origin.With(t.Context(), local), public); got != local {
		t.Errorf("with a mark: %v, want the listener's", got)
	}
	if got := origin.Of(context.WithoutCancel(origin.With(t.Context(), nil)), public); got != public {
		t.Errorf("with an empty mark: %v, want the public address", got)
	}
}
