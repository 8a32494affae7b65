package gateway

type inspector struct{}

func newInspector(c Config) (*inspector, error) { return nil, nil }

func (c *connecting) inspectTLS(flight *[]byte) { c.start(flight, nil) }
