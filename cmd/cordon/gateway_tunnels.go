package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"text/tabwriter"
	"time"

	"github.com/cordon-sec/cordon/gateway"
	"github.com/cordon-sec/cordon/internal/output"
	"github.com/spf13/cobra"
)

func newGatewayTunnelsCommand() *cobra.Command {
	var f gatewayFlags
	var format string
	cmd := &cobra.Command{
		Use:   "tunnels --config FILE",
		Short: "List the tunnels that are open through the running gateway, or end some",
		Long: `Tunnels asks the running gateway on its admin listener (gateway.admin, or --admin)
what is open: tunnels and upgraded connections, the oldest first, with the bytes
from (up) and to (down) the client so far.`,
		Example: `  cordon gateway tunnels --config cordon.yaml
  cordon gateway tunnels --config config.xml --admin 127.0.0.1:9090 --format json
  cordon gateway tunnels end --config cordon.yaml 5f0c11a2b3-1f`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runGatewayTunnels(cmd, &f, format) },
	}
	f.addAdmin(cmd)
	cmd.Flags().StringVarP(&format, "format", "f", "text", "text or json")
	cmd.AddCommand(newGatewayTunnelsEndCommand())
	return cmd
}

func newGatewayTunnelsEndCommand() *cobra.Command {
	var f gatewayFlags
	var app, target string
	var all bool
	cmd := &cobra.Command{
		Use:   "end --config FILE [ID...]",
		Short: "End tunnels by their ids, an app, a target, or all of them",
		Long: `End closes the tunnels that are named: by the ids that cordon gateway tunnels
lists, or all those of an app or to a target. Both sides see the connection close,
and the event of its end says "operator".

The token that changes need is read from .cordon/admin-token beside FILE, which
must belong to who runs the command.`,
		Example: `  cordon gateway tunnels end --config cordon.yaml 5f0c11a2b3-1f
  cordon gateway tunnels end --config cordon.yaml --app kiosk --target api.example.org:443
  cordon gateway tunnels end --config cordon.yaml --all`,
		RunE: func(cmd *cobra.Command, ids []string) error {
			picks := func(t gateway.Tunnel) bool {
				return all || (app != "" || target != "") && (app == "" || t.App == app) &&
					(target == "" || t.Target == target)
			}
			filtered := all || app != "" || target != ""
			if (len(ids) > 0) == filtered {
				return errors.New("name what to end: either ids, or --app and --target, or --all")
			}
			return runGatewayTunnelsEnd(cmd, &f, ids, picks)
		},
	}
	f.addAdmin(cmd)
	flags := cmd.Flags()
	flags.StringVar(&app, "app", "", "end the tunnels of an app")
	flags.StringVar(&target, "target", "", "end the tunnels to HOST:PORT")
	flags.BoolVar(&all, "all", false, "end every tunnel")
	return cmd
}

// openTunnels asks what is open.
func openTunnels(cmd *cobra.Command, f *gatewayFlags) (*operator, gateway.TunnelList, error) {
	var list gateway.TunnelList
	config, err := f.read()
	if err != nil {
		return nil, list, err
	}
	o, err := newOperator(f, config)
	if err != nil {
		return nil, list, err
	}
	err = o.ask(cmd.Context(), http.MethodGet, gateway.TunnelsPath, url.Values{}, &list)
	return o, list, environmentIf(err)
}

func runGatewayTunnels(cmd *cobra.Command, f *gatewayFlags, format string) error {
	if err := output.CheckFormat(format, "text", "json"); err != nil {
		return err
	}
	_, list, err := openTunnels(cmd, f)
	if err != nil {
		return err
	}
	if format == "json" {
		return environmentIf(output.JSON(cmd.OutOrStdout(), gateway.OperatorVersion, list))
	}
	if len(list.Tunnels) == 0 {
		_, err = fmt.Fprintln(cmd.OutOrStdout(), "no tunnel is open")
		return environmentIf(err)
	}
	table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tAPP\tCLIENT\tTARGET\tOPENED\tUP\tDOWN")
	for _, t := range list.Tunnels {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%d\t%d\n", t.ID, t.App, t.Client, t.Target,
			t.Opened.Format(time.RFC3339), t.Up, t.Down)
	}
	return environmentIf(table.Flush())
}

func runGatewayTunnelsEnd(cmd *cobra.Command, f *gatewayFlags, ids []string, picks func(gateway.Tunnel) bool) error {
	o, list, err := openTunnels(cmd, f)
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		for _, t := range list.Tunnels {
			if picks(t) {
				ids = append(ids, t.ID)
			}
		}
	}
	for i, id := range ids {
		path := gateway.TunnelsPath + "/" + id
		if err := o.ask(cmd.Context(), http.MethodDelete, path, url.Values{}, nil); err != nil {
			return environment(fmt.Errorf("%d of %d were ended; %s: %w", i, len(ids), id, err))
		}
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d ended\n", len(ids))
	return environmentIf(err)
}
