package lint_test

import (
	"fmt"

	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/lint"
)

// The rules look at an app as a value; package project reads one from a folder.
func Example() {
	doc, err := configxml.Parse("config.xml", []byte(`<widget>
  <access origin="*" />
</widget>`))
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := lint.Check(&app.App{Config: doc})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range report.Findings {
		if f.Rule.Severity >= lint.High {
			fmt.Printf("%s: %s: %s\n", f.Place, f.Rule.ID, f.Message)
		}
	}
	// Output:
	// config.xml:2:3: access-catch-all: origin "*" lets the app request every host
}
