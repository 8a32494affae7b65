package up

import (
	"errors"
	"io"
	"net/url"

	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/internal/port"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/server"
)

// The ports that cordon up takes unless it is told others.
const (
	DefaultPort        = 8443 // the app and the backend
	DefaultGatewayPort = 3128
	DefaultAdminPort   = 9090 // the console
)

// Config says what to run, and where.
type Config struct {
	// Dir is the app's folder.
	Dir string
	// Port is that of the app and the backend; 0: that of the folder's cordon.yaml,
	// or DefaultPort.
	Port uint16
	// GatewayPort and AdminPort are those of the gateway and the console; 0: free
	// ones.
	GatewayPort, AdminPort uint16
	// AppURL is a development server on this machine, as in http://localhost:5173,
	// whose pages are put behind the policy; "": the folder's built pages.
	AppURL string
	// Platform is the target whose reading the gateway enforces; "": the strict
	// reading.
	Platform string
	// Private are the private addresses that hosts may resolve into.
	Private []config.Private
	// Events takes every decision, besides the console and the log beside the app;
	// nil: nothing. Places are those of the app's own file.
	Events event.Sink
	// Notify is told what a person should know when it happens; nil: nothing. It is
	// called by one goroutine at a time, also before Open returns. It must return
	// soon, and must not call the App.
	Notify func(Notice)
	// Stderr is where the backend's parts write what goes wrong in them; nil:
	// nowhere.
	Stderr io.Writer
}

// Check reads what can be wrong with a Config before anything is read or made in the
// app's folder. Open does so too.
func (c *Config) Check() error {
	_, _, err := c.parse()
	return err
}

func (c *Config) parse() (target policy.Target, appURL *url.URL, err error) {
	target.Platform = dialect.Strict
	if c.Platform != "" {
		if target, err = dialect.ParseTarget(c.Platform); err != nil {
			return target, nil, err
		}
	}
	if c.AppURL != "" {
		appURL, err = parseAppURL(c.AppURL)
	}
	return target, appURL, err
}

// Listener is one of the three that an App has.
type Listener int

// The listeners, each with the field of Config that names its port.
const (
	SiteListener    Listener = iota // Port
	GatewayListener                 // GatewayPort
	AdminListener                   // AdminPort
)

// PortError is a port that another process holds.
type PortError struct {
	// Listener is the one whose port it is.
	Listener Listener
	Err      error
}

// Error names the address, and the process as far as the system tells.
func (e *PortError) Error() string { return e.Err.Error() }

// Unwrap returns what listening failed with.
func (e *PortError) Unwrap() error { return e.Err }

// portError makes a *PortError of an error about a port that is taken.
func portError(err error, l Listener) error {
	var taken *port.TakenError
	if err = port.Explain(err); errors.As(err, &taken) {
		return &PortError{Listener: l, Err: err}
	}
	return err
}

// environment marks a failure of the machine.
func environment(err error) error {
	if err == nil {
		return nil
	}
	return &server.EnvironmentError{Err: err}
}
