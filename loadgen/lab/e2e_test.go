//go:build e2e

package lab

import "testing"

func TestNoRequestIsLostInFiftyCyclesOfScaling(t *testing.T) { flip(t, 50) }

func TestCapacityFollowsLoadToSixAndBack(t *testing.T) { experiment(t, 6) }
