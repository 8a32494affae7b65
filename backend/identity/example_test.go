package identity_test

import (
	"context"
	"fmt"

	"github.com/cordon-sec/cordon/backend/identity"
)

// A condition is compiled once and asked about each caller.
func ExampleCompileCondition() {
	own, err := identity.CompileCondition(`user.id == row.owner`)
	if err != nil {
		fmt.Println(err)
		return
	}
	row := map[string]any{"owner": "sid:ann"}
	for _, who := range []identity.Principal{
		{User: identity.User{ID: "sid:ann"}},
		{User: identity.User{ID: "sid:bob"}},
	} {
		ok, err := own.Holds(context.Background(), identity.Facts{Principal: &who, Row: row})
		fmt.Println(who.User.ID, ok, err)
	}
	// Output:
	// sid:ann true <nil>
	// sid:bob false <nil>
}
