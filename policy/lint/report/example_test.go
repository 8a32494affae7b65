package report_test

import (
	"fmt"
	"strings"

	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/lint"
	"github.com/cordon-sec/cordon/policy/lint/report"
)

// Findings for people, as cordon check prints them.
func ExampleWriteText() {
	doc, err := configxml.Parse("config.xml", []byte(`<widget>
  <access origin="*" />
</widget>`))
	if err != nil {
		fmt.Println(err)
		return
	}
	project := &app.App{Config: doc}
	found, err := lint.Check(project)
	if err != nil {
		fmt.Println(err)
		return
	}
	var text strings.Builder
	if err := report.WriteText(&text, project, found, report.TextOptions{}); err != nil {
		fmt.Println(err)
		return
	}
	finding, _, _ := strings.Cut(text.String(), "      remedy:")
	fmt.Print(finding)
	// Output:
	// config.xml:2:3: high: origin "*" lets the app request every host [access-catch-all]
	//     2 |   <access origin="*" />
	//       |   ^^^^^^^^^^^^^^^^^^^^^
}
