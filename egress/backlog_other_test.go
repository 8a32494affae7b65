//go:build !unix

package egress

import (
	"errors"
	"net/netip"
)

type backlogged struct{ addr netip.AddrPort }

func (b *backlogged) close() {}

func listenBacklog(string, uint16) (*backlogged, error) { return nil, errors.ErrUnsupported }
