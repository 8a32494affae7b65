package console

import (
	"fmt"
	"html/template"
	"strings"
	"time"
)

// functions are what the templates may call.
var functions = template.FuncMap{
	"clock": func(t time.Time) string { return t.Format("15:04:05.000") },
	"stamp": func(t time.Time) string {
		if t.IsZero() {
			return "never"
		}
		return t.Local().Format("2006-01-02 15:04:05")
	},
	"bytes": humanBytes,
	"place": shortPlace,
}

// shortPlace leaves the folders of a place in a file out.
func shortPlace(place string) string {
	return place[strings.LastIndexAny(place, `/\`)+1:]
}

func humanBytes(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}
