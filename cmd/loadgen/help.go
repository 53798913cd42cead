package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Annotations of flags, which pflag keeps for whoever shows them.
const (
	noteGroup   = "group"
	noteArg     = "arg"
	noteDefault = "default"
	noteEnv     = "env"
	noteNot     = "not " // of a command: why it does not take the flag whose name or letter follows
)

// annotate keeps what help says of a flag beside it.
func annotate(f *pflag.Flag, note, value string) {
	if value == "" {
		return
	}
	if f.Annotations == nil {
		f.Annotations = map[string][]string{}
	}
	f.Annotations[note] = []string{value}
}

func noteOf(f *pflag.Flag, note string) string {
	if values := f.Annotations[note]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// groupFlags is the group of flags that have none.
const groupFlags = "Flags"

// flagGroup is flags that help shows together.
type flagGroup struct {
	name  string
	flags []*pflag.Flag
}

// wide is the longest flag that the column of all groups makes room for; a group with a longer one has a column of its own.
const wide = 30

func (g *flagGroup) width() (width int) {
	for _, f := range g.flags {
		width = max(width, len(spelled(f)))
	}
	return width
}

// groupsOf are a command's flags in the order in which they were defined.
func groupsOf(cmd *cobra.Command) []flagGroup {
	var groups []flagGroup
	flags := cmd.LocalNonPersistentFlags()
	flags.SortFlags = false
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		name := cmp.Or(noteOf(f, noteGroup), groupFlags)
		i := slices.IndexFunc(groups, func(g flagGroup) bool { return g.name == name })
		if i < 0 {
			i = len(groups)
			groups = append(groups, flagGroup{name: name})
		}
		groups[i].flags = append(groups[i].flags, f)
	})
	return groups
}

// spelled is a flag as it is typed: "-u, --users N".
func spelled(f *pflag.Flag) string {
	s := "    --" + f.Name
	if f.Shorthand != "" {
		s = "-" + f.Shorthand + ", --" + f.Name
	}
	if arg := noteOf(f, noteArg); arg != "" {
		s += " " + arg
	}
	return s
}

// writeHelp writes a command's help: examples first, then what it does, then its flags by topic.
func writeHelp(w io.Writer, cmd *cobra.Command) {
	for l := range strings.SplitSeq(strings.TrimSpace(cmd.Example), "\n") {
		fmt.Fprintf(w, "  %s\n", l)
	}
	fmt.Fprintf(w, "\n%s %s.\n", cmd.CommandPath(), cmd.Short)
	if names := commandNames(cmd); len(names) > 0 {
		fmt.Fprint(w, "\nCommands (each takes -h)\n")
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, name := range names {
			fmt.Fprintf(t, "  %s\t%s\n", name, commandOf(cmd, name).Short)
		}
		t.Flush()
	}
	common := 0
	groups := groupsOf(cmd)
	for _, g := range groups {
		if w := g.width(); w <= wide {
			common = max(common, w)
		}
	}
	for _, g := range groups {
		width := max(common, g.width())
		fmt.Fprintf(w, "\n%s\n", g.name)
		for _, f := range g.flags {
			usage := f.Usage
			if d := noteOf(f, noteDefault); d != "" {
				usage += " (" + d + ")"
			}
			fmt.Fprintf(w, "  %-*s  %s\n", width, spelled(f), usage)
		}
	}
	if cmd.Long != "" {
		fmt.Fprintf(w, "\n%s\n", strings.TrimSpace(cmd.Long))
	}
}
