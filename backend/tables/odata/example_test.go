package odata_test

import (
	"errors"
	"fmt"

	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// A parser knows the columns of a table; what it returns is typed.
func ExampleParser() {
	columns := map[string]odata.Column{
		"text": {Name: "text", Of: odata.String},
		"done": {Name: "done", Of: odata.Boolean},
	}
	parser := odata.Parser{Column: func(name string) (odata.Column, bool) {
		c, ok := columns[name]
		return c, ok
	}}
	filter, err := parser.Filter("done eq false and startswith(text,'buy')")
	fmt.Println(filter.Type(), err)
	_, err = parser.Filter("colour eq 'red'")
	var unknown *odata.UnknownColumnError
	fmt.Println(errors.As(err, &unknown))
	// Output:
	// boolean <nil>
	// true
}
