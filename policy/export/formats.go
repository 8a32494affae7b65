package export

// CSP is the name of the one format that is also made for a single page, by
// PagePolicy.
const CSP = "csp"

// Exporter is a format with what writes it.
type Exporter struct {
	Format
	// Export writes the format as a file of its own.
	Export func(Source) Artifact
}

// Exporters returns every format, in the order of the documentation.
func Exporters() []Exporter {
	return []Exporter{
		{cspFormat, exportCSP},
		{nscFormat, exportNSC},
		{atsFormat, exportATS},
		{capacitorFormat, exportCapacitor},
		{electronFormat, exportElectron},
		{pacFormat, exportPAC},
		{squidFormat, exportSquid},
		{envoyFormat, exportEnvoy},
		{chromeFormat, exportChrome},
		{hostsFormat, exportHosts},
	}
}

// Find returns the format of that name, such as "android-nsc".
func Find(name string) (Exporter, bool) {
	for _, e := range Exporters() {
		if e.Name == name {
			return e, true
		}
	}
	return Exporter{}, false
}
