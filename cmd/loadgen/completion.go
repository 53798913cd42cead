package main

import (
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// bashWords stands in for two functions of the package bash-completion, which cobra's script calls and few machines and
// no containers have. The words are those of the line, = and : within them included; what readline has left of the last
// one, up to a colon, is taken off what is offered.
const bashWords = `
if ! declare -F _get_comp_words_by_ref >/dev/null; then
    _get_comp_words_by_ref() {
        local line="${COMP_LINE:0:COMP_POINT}"
        read -ra words <<<"$line"
        if [[ $line == *[[:space:]] ]]; then
            words+=("")
        fi
        cword=$((${#words[@]} - 1))
        cur="${words[cword]}"
        prev="${words[cword > 0 ? cword - 1 : 0]}"
    }
fi
if ! declare -F __ltrimcolon_completions >/dev/null; then
    __ltrimcolon_completions() {
        if [[ $1 == *:* && $COMP_WORDBREAKS == *:* ]]; then
            local before="${1%"${1##*:}"}" i
            for i in "${!COMPREPLY[@]}"; do
                COMPREPLY[i]="${COMPREPLY[i]#"$before"}"
            done
        fi
    }
fi

`

func newCompletion(env *env) *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "prints a script with which a shell completes commands and flags",
		Example: `
loadgen completion bash  # see below where the script goes`,
		Long: `
To install it
  bash        source <(loadgen completion bash)
              in ~/.bashrc; nothing else is needed
  zsh         source <(loadgen completion zsh)
              in ~/.zshrc, below a line "autoload -U compinit; compinit"
  fish        loadgen completion fish > ~/.config/fish/completions/loadgen.fish
              once
  powershell  loadgen completion powershell | Out-String | Invoke-Expression
              in $PROFILE`,
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
				if _, err := io.WriteString(env.stdout, strings.TrimPrefix(bashWords, "\n")); err != nil {
					return err
				}
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
