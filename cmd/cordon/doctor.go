package main

import (
	"fmt"

	"github.com/cordon-sec/cordon/doctor"
	"github.com/cordon-sec/cordon/internal/output"
	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/up"
	"github.com/spf13/cobra"
)

func newDoctorCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "doctor [DIR]",
		Short: "Check what this machine has for working on an app",
		Long: `Doctor looks at the app in DIR (the current folder by default) and at this
machine: the programs that the work needs, the ports that cordon up takes, the
development authority, the clock. It changes nothing and asks nothing of the
network.

"ok" is fine, "note" says what works less well, "bad" what keeps cordon up from
working; with a bad one the exit status is 1.`,
		Example: `  cordon doctor
  cordon doctor --format json examples/todo`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "."
			if len(args) == 1 {
				dir = args[0]
			}
			return runDoctor(cmd, dir, format)
		},
	}
	cmd.Flags().StringVarP(&format, "format", "f", "text", "text or json")
	return cmd
}

func runDoctor(cmd *cobra.Command, dir, format string) error {
	if err := output.CheckFormat(format, "text", "json"); err != nil {
		return err
	}
	config := doctor.Config{Dir: dir}
	for _, port := range []struct {
		number uint16
		flag   string
	}{
		{uint16(up.SitePort(dir)), "--port"}, {up.DefaultGatewayPort, "--gateway-port"},
		{up.DefaultAdminPort, "--admin-port"},
	} {
		remedy := "cordon up " + port.flag + " chooses another"
		config.Ports = append(config.Ports, doctor.Port{Number: port.number, Remedy: remedy})
	}
	all := doctor.Examine(cmd.Context(), config)
	out := cmd.OutOrStdout()
	if format == "json" {
		if err := output.JSON(out, 1, map[string]any{"diagnoses": all}); err != nil {
			return environment(err)
		}
	}
	bad := false
	for _, d := range all {
		bad = bad || d.Mark == doctor.Ill
		if format == "text" {
			fmt.Fprintf(out, "%-5s %-12s %s\n", d.Mark, d.What, wording.Printable(d.Says))
			if d.Remedy != "" {
				fmt.Fprintf(out, "%-18s %s\n", "", wording.Printable(d.Remedy))
			}
		}
	}
	if bad {
		return found()
	}
	return nil
}
