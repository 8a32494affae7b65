package doctor_test

import (
	"context"
	"fmt"

	"github.com/cordon-sec/cordon/doctor"
)

// What keeps an app from running, and what to do.
func Example() {
	for _, c := range doctor.Examine(context.Background(), doctor.Config{Dir: "nosuchdir"}) {
		if c.What == "app" {
			fmt.Printf("%s: %s\n%s\n", c.Mark, c.Says, c.Remedy)
		}
	}
	// Output:
	// bad: nosuchdir: no such folder
	// cordon init nosuchdir
}
