package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/cordon-sec/cordon/policy/capacitor"
	"github.com/cordon-sec/cordon/project"
	"github.com/cordon-sec/cordon/project/folder"
)

// adopt takes over what the Capacitor configuration of a folder says, if it has one.
func (a *newApp) adopt(dir string) error {
	read, err := folder.OpenShips(dir, nil)
	if err != nil {
		return notAdopted(dir, err)
	}
	a.Capacitor = writtenConfiguration(dir, "")
	var configured capacitor.Config // of code that cannot be read without running it nothing is known
	if len(read.Capacitor.Data) > 0 {
		a.Capacitor = writtenConfiguration(dir, read.Capacitor.Name)
		name := filepath.Join(dir, filepath.FromSlash(read.Capacitor.Name))
		made, err := capacitor.Read(name, read.Capacitor.Data)
		if err != nil {
			return err
		}
		configured = *made
	}
	if a.Capacitor == "" {
		return nil
	}
	if a.ID != "" {
		return fmt.Errorf("--id: the app's id is the appId of %s", a.Capacitor)
	}
	a.ID = configured.AppID.Value
	if checkID(a.ID) != nil {
		a.ID = "com.example.app" // for nothing: it is not written
	}
	if a.Name == "" {
		a.Name = configured.AppName.Value
	}
	return nil
}

// notAdopted is err, of reading a folder, where an app of Capacitor may be in it, nil for
// a new app: what is made must be of the right kind.
func notAdopted(dir string, err error) error {
	if _, gone := os.Stat(dir); errors.Is(gone, fs.ErrNotExist) {
		return nil
	}
	var missing *project.NotFoundError
	if errors.As(err, &missing) && missing.Capacitor == "" {
		return nil
	}
	return err
}

// writtenConfiguration is the file that a person writes where another one, the copy that
// Capacitor made of it, is read; read where there is none.
func writtenConfiguration(dir, read string) string {
	for _, name := range []string{"capacitor.config.ts", "capacitor.config.js", "capacitor.config.json"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.Mode().IsRegular() {
			return name
		}
	}
	return read
}

// firstTable is the answer that is offered for tables: a Capacitor app mostly has a
// backend already.
func (a *newApp) firstTable() string {
	if a.Capacitor != "" {
		return "none"
	}
	return "item"
}

// capacitorXML is the config.xml of a Capacitor project, with lines for the hosts: what
// its own configuration, whose name is given, has no place for, and nothing that it says.
func capacitorXML(configuration, lines string) string {
	return fmt.Sprintf(`<?xml version="1.0" encoding="utf-8"?>
<!-- What the app's pages may reach, for Cordon. Capacitor does not read this file: who the app is, and in
     server.allowNavigation which pages open inside it, is said in %s alone. -->
<widget xmlns="http://www.w3.org/ns/widgets">

    <!-- the hosts that the app's pages may reach; no others -->
%s
    <!-- for cap sync and cap copy with the npm package cordova-plugin-cordon: the severity of a finding that
         stops them, and what pages get besides hosts -->
    <preference name="CordonFailOn" value="high" />
    <preference name="CordonPageNeeds" value="found" />
</widget>
`, strings.ReplaceAll(configuration, "--", "-"), lines)
}

// teach says what to do next.
func (a *newApp) teach(w io.Writer, dir string) {
	fmt.Fprintf(w, "Run it with: cordon up %s\n", dir)
	if a.Capacitor == "" {
		return
	}
	if len(a.Hosts) == 0 {
		fmt.Fprintf(w, "Find the hosts that it asks for with: cordon record --config %s\n", dir)
	}
	fmt.Fprintln(w, "Let cap sync and cap copy check the list and write it into the app with: "+
		"npm install --save-dev cordova-plugin-cordon")
}
