package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"scalableappbackend/internal/exit"
	"scalableappbackend/internal/near"
)

// run runs one command line and returns its exit code.
func run(env env) exit.Code {
	root := newRoot(&env)
	root.SetArgs(append([]string{}, respelled(env.args)...)) // cobra takes nil for os.Args
	err := root.ExecuteContext(context.Background())
	if err == nil {
		return exit.Passed
	}
	end, ok := errors.AsType[*ending](err)
	if !ok {
		end = &ending{exit.RunError.Status(), err}
	}
	if end.err != nil {
		env.sayError(end.err)
	}
	env.sayExit(end.status)
	return end.status.Code
}

// newRoot is the tree of commands, built for one command line.
func newRoot(env *env) *cobra.Command {
	root := &cobra.Command{
		Use:   "loadgen",
		Short: "load-tests an HTTP service and proves that it scales",
		Example: `
loadgen lab --quick                                # watch a service scale, in a minute
loadgen run --host embedded                        # try it, with a service in this process
loadgen run -H http://localhost:8080 -u 100 -t 5m  # 100 users for 5 minutes
loadgen report loadgen-results/20261124T150405Z    # show a saved result`,
		// Cobra's own parsing would tell of the flags of a command that is misspelled, and not of the command.
		DisableFlagParsing: true,
		Args:               cobra.ArbitraryArgs,
		SilenceErrors:      true,
		SilenceUsage:       true,
		CompletionOptions:  cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.RunE = noCommand
	root.AddCommand(newRun(env), newBench(env), newLab(env), newSimulate(env), newWatch(env), newReport(env), newMerge(env), newCompare(env), newBaseline(env), newFargate(env), newDashboard(env), newVersion(env), newCompletion(env), newGuard(env))
	root.SetHelpCommand(newHelp())
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { writeHelp(env.stdout, cmd) })
	root.SetFlagErrorFunc(flagError)
	root.SetOut(env.stdout)
	root.SetErr(env.stderr)
	return root
}

// newHelp is `help`, which unlike cobra's refuses a command that does not exist.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "shows the help of a command, as COMMAND -h does",
		Example: "\nloadgen help run",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return commandNames(cmd.Root()), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			if len(args) == 0 {
				return root.Help()
			}
			of := root
			for i, name := range args {
				next := commandOf(of, name)
				switch {
				case next != nil:
				case i > 0 && len(commandNames(of)) == 0:
					return usagef("argument", name, "", "one command")
				default:
					return unknownCommand(of, name)
				}
				of = next
			}
			return of.Help()
		},
	}
}

// noCommand is what happens when the first word is no command.
func noCommand(root *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return usagef("", "", "loadgen -h lists them", "want a command, e.g. loadgen run --host embedded")
	case args[0] == "-h" || args[0] == "--help":
		return root.Help()
	}
	return unknownCommand(root, args[0])
}

func unknownCommand(parent *cobra.Command, name string) error {
	names := commandNames(parent)
	hint := didYouMean(name, names, parent.CommandPath()+" ")
	if !parent.HasParent() && slices.Contains([]string{"attack", "curl", "exec", "hey", "k6", "load", "locust", "oha", "start", "test", "vegeta", "wrk"}, name) {
		hint = "did you mean loadgen run?"
	}
	if host, _, _ := strings.Cut(name, "/"); hint == "" && !parent.HasParent() && strings.ContainsAny(host, ".:") {
		hint = "did you mean loadgen http://" + name + "?"
	}
	return usagef("command", name, hint, "one of %s", strings.Join(names, ", "))
}

// commandNames are those of a command's children that people use, the most used ones first.
func commandNames(parent *cobra.Command) []string {
	var names []string
	for _, c := range parent.Commands() {
		if !c.Hidden && !strings.HasPrefix(c.Name(), "__") {
			names = append(names, c.Name())
		}
	}
	order := []string{"run", "bench", "lab", "simulate", "watch", "report", "merge", "compare", "baseline", "fargate", "dashboard", "version", "completion", "help", "plan", "collect"}
	slices.SortStableFunc(names, func(a, b string) int { return slices.Index(order, a) - slices.Index(order, b) })
	return names
}

// commandOf is the child of that name; nil when there is none.
func commandOf(parent *cobra.Command, name string) *cobra.Command {
	for _, c := range parent.Commands() {
		if c.Name() == name {
			return c
		}
	}
	return nil
}

// flagError says in our words what pflag says in its own.
func flagError(cmd *cobra.Command, err error) error {
	switch e := err.(type) {
	case *pflag.NotExistError:
		if group := e.GetSpecifiedShortnames(); group != "" {
			hint := cmp.Or(cmd.Annotations[noteNot+e.GetSpecifiedName()], moreIn(cmd))
			return usagef("flag", "-"+e.GetSpecifiedName(), hint, "a flag of %s", cmd.CommandPath())
		}
		hint := cmp.Or(cmd.Annotations[noteNot+e.GetSpecifiedName()], didYouMean(e.GetSpecifiedName(), flagNames(cmd), "--"), moreIn(cmd))
		return usagef("flag", "--"+e.GetSpecifiedName(), hint, "a flag of %s", cmd.CommandPath())
	case *pflag.ValueRequiredError:
		dashes := "--"
		if e.GetSpecifiedShortnames() != "" {
			dashes = "-"
		}
		return usagef(dashes+e.GetSpecifiedName(), "", "", "want %s after it: %s", noteOf(e.GetFlag(), noteArg), e.GetFlag().Usage)
	case *pflag.InvalidValueError: // the only flags that pflag reads itself are switches
		return usagef("--"+e.GetFlag().Name, e.GetValue(), "", wantSwitch)
	case *pflag.InvalidSyntaxError:
		return usagef("flag", e.GetSpecifiedFlag(), moreIn(cmd), "--NAME or --NAME=VALUE")
	}
	return usage(err)
}

// didYouMean is a hint at the name that was probably meant; empty when there is none.
func didYouMean(typed string, names []string, before string) string {
	meant, ok := near.Near(typed, names)
	if !ok {
		return ""
	}
	return "did you mean " + before + meant + "?"
}

func moreIn(cmd *cobra.Command) string { return cmd.CommandPath() + " -h lists them" }

func flagNames(cmd *cobra.Command) []string {
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden { // another tool's name is no better spelling of a third one
			names = append(names, f.Name)
		}
	})
	return names
}

// noArguments refuses arguments; what looks like a URL was probably meant as the host.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := ""
	if strings.Contains(args[0], "://") && cmd.Flags().Lookup("host") != nil {
		hint = "did you mean --host " + args[0] + "?"
	}
	return usagef("argument", args[0], hint, "only flags after %s", cmd.CommandPath())
}
