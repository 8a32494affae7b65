package main

import (
	"fmt"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"github.com/cordon-sec/cordon/backend/auth"
	"github.com/cordon-sec/cordon/internal/configfile"
	"github.com/cordon-sec/cordon/settings"
)

func newConfigCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Describe, check and import configurations",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(newConfigSchemaCommand(), newConfigCheckCommand(), newConfigImportCommand())
	return cmd
}

func newConfigSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "schema",
		Short:   "Print the JSON Schema of cordon.yaml",
		Example: "  cordon config schema > cordon.schema.json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, err := settings.Schema()
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
}

func newConfigCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Check a cordon.yaml without starting anything",
		Long: `Check reads a cordon.yaml strictly and says everything that is wrong with it,
with the line. It opens nothing and needs no secrets; "cordon serve --check"
looks for the secrets too.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := settings.Load(args[0]); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s is fine\n", args[0])
			return err
		},
	}
}

// maxImport bounds the file that is imported.
const maxImport = 4 << 20

func newConfigImportCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "import-easyauth FILE",
		Short: "Make the identity part of cordon.yaml from App Service's settings",
		Long: `Import-easyauth reads the settings of App Service Authentication and prints what
is the same in cordon.yaml. FILE is auth.json (the file-based configuration), what
"az webapp auth show" or Azure Resource Manager print (both versions), or a
template that sets them (ARM, or Bicep after "az bicep build").

Secrets are named, not copied: a setting becomes an environment variable of the
same name. What needs your attention is on standard error and, as comments, in the
output. Whatever may have kept somebody out and cannot be taken over is an error.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			data, err := configfile.Read(args[0], maxImport)
			if err != nil {
				return err
			}
			config, notes, err := auth.ImportEasyAuth(data)
			if err != nil {
				return fmt.Errorf("%s read as %w", args[0], err)
			}
			text, err := yaml.MarshalWithOptions(map[string]any{"identity": config}, yaml.OmitEmpty(), yaml.OmitZero())
			if err != nil {
				return err
			}
			for _, note := range notes {
				fmt.Fprintln(cmd.ErrOrStderr(), "note: "+note)
				// A note is one printable line, so it cannot end the comment.
				fmt.Fprintln(cmd.OutOrStdout(), "# "+note)
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
}
