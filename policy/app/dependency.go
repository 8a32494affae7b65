package app

import (
	"github.com/cordon-sec/cordon/internal/jsonspan"
	"github.com/cordon-sec/cordon/policy"
)

// Dependency returns where package.json names a package, as what the app or its build
// depends on, and whether it does. One that cannot be read names nothing.
func (p *App) Dependency(name string) (policy.Place, bool) {
	manifest, err := jsonspan.Parse(p.Package.Data)
	if err != nil {
		return policy.Place{}, false
	}
	for _, section := range []string{"dependencies", "devDependencies"} {
		for _, m := range manifest.At(section).Members {
			if m.Key == name {
				return p.Package.Place(m.Start, m.Value.End), true
			}
		}
	}
	return policy.Place{}, false
}
