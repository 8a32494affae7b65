package egress_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/cordon-sec/cordon/egress"
)

// A name that leads into a private network is resolved, judged, and not dialled.
func ExampleDialer_Dial() {
	resolver := egress.ResolverFunc(func(context.Context, string) ([]netip.Addr, time.Duration, error) {
		return []netip.Addr{netip.MustParseAddr("169.254.169.254")}, time.Minute, nil
	})
	dialer, err := egress.New(egress.Config{Resolver: resolver})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, _, err = dialer.Dial(context.Background(), egress.Destination{Host: "metadata.example.com", Port: 80})
	var refused *egress.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Reason, refused.Refused)
	}
	// Output:
	// address-refused [169.254.169.254 (special-purpose)]
}
