package main

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/project/folder"
)

// openConfig reads what ships by the config.xml that path names (a file or a
// project's folder, "" for the current one), with the targets that the project
// itself is built for.
func openConfig(path string) (*app.App, error) {
	read, err := folder.OpenShips(path, nil)
	if err != nil {
		return nil, err
	}
	if read.Config == nil && len(read.Targets) == 0 {
		return nil, fmt.Errorf("%s: a Capacitor project without a config.xml; name one with --config", path)
	}
	return read, nil
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
