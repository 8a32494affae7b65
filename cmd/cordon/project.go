package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/project"
	"github.com/cordon-sec/cordon/project/folder"
)

// openConfig reads the config.xml that path names (a file or a project's
// folder, "" for the current one) and the targets that the project itself is
// built for.
func openConfig(path string) (*configxml.Document, []string, error) {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		doc, err := folder.ReadConfig(path)
		if err != nil {
			return nil, nil, err
		}
		return doc, targetNames(project.Targets(doc)), nil
	}
	read, _, err := folder.Open(path, nil)
	if err != nil {
		return nil, nil, err
	}
	if read.Config == nil {
		return nil, nil, fmt.Errorf("%s: a Capacitor project without a config.xml; name one with --config", path)
	}
	return read.Config, targetNames(read.Targets), nil
}

func targetNames(targets []policy.Target) []string {
	names := make([]string, len(targets))
	for i, t := range targets {
		names[i] = t.String()
	}
	return names
}

// refuseEmptyLists refuses --platform "" and its like: a script whose variable
// is not set means no default.
func refuseEmptyLists(cmd *cobra.Command) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if list, ok := f.Value.(pflag.SliceValue); ok && len(list.GetSlice()) == 0 {
			err = fmt.Errorf("--%s is empty: name one, or leave the flag out", f.Name)
		}
	})
	return err
}
