package main

import (
	"github.com/spf13/cobra"

	"scalableappbackend/loadgen/lab"
)

// guardCommand is the name by which this program is the helper of a lab of programs. Nobody types it.
const guardCommand = "__guard-replicas"

func newGuard(env *env) *cobra.Command {
	return &cobra.Command{
		Use: guardCommand, Hidden: true, Args: cobra.NoArgs,
		Run: func(*cobra.Command, []string) { lab.Guard(env.stdin) },
	}
}
