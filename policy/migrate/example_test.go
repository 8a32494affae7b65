package migrate_test

import (
	"fmt"

	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/migrate"
)

// A list for an old platform, in the words of a new one; what cannot be said is
// noted.
func Example() {
	doc, err := configxml.Parse("config.xml", []byte(`<widget>
  <access origin="http://*.example.com" />
</widget>
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	from, err := dialect.ParseTarget("ios@3.0.0")
	if err != nil {
		fmt.Println(err)
		return
	}
	to, err := dialect.ParseTarget("android@15.0.0")
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := migrate.File(doc, migrate.Options{From: from, To: to})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%sas before: %v\n", result.Data, result.Lossless())
	// Output:
	// <widget>
	//   <access origin="http://*.example.com" />
	//   <allow-navigation href="http://*.example.com" />
	//   <allow-intent href="tel:*" />
	//   <allow-intent href="geo:*" />
	//   <allow-intent href="mailto:*" />
	//   <allow-intent href="sms:*" />
	//   <allow-intent href="market:*" />
	// </widget>
	// as before: false
}
