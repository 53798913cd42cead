package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

func newCompletion(env *env) *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "prints what makes a shell complete commands and flags",
		Example: `
source <(loadgen completion bash)  # in ~/.bashrc
loadgen completion zsh > "${fpath[1]}/_loadgen"
loadgen completion fish > ~/.config/fish/completions/loadgen.fish
loadgen completion powershell | Out-String | Invoke-Expression`,
		ValidArgs: shells,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return usagef("completion", "", "", "want a shell, one of %s", strings.Join(shells, ", "))
			case len(args) > 1:
				return usagef("argument", args[1], "", "one shell only")
			case !slices.Contains(shells, args[0]):
				return usagef("shell", args[0], didYouMean(args[0], shells, ""), "one of %s", strings.Join(shells, ", "))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch root := cmd.Root(); args[0] {
			case "bash":
				return root.GenBashCompletionV2(env.stdout, true)
			case "zsh":
				return root.GenZshCompletion(env.stdout)
			case "fish":
				return root.GenFishCompletion(env.stdout, true)
			default:
				return root.GenPowerShellCompletionWithDesc(env.stdout)
			}
		},
	}
}
