package lab

import (
	"strconv"
	"strings"

	"scalableappbackend/loadgen/autoscaling"
)

// settings are by what the service scales, as flags say it, so that a simulation of the same load can take them over.
func (c Config) settings() map[string]string {
	m := autoscaling.ModelsOf(c.Scaling)
	m.TaskStart = autoscaling.TaskStart{Created: c.Delays.Placement, Running: c.Delays.Pull + c.Delays.Start}
	m.Deregistration = c.Delays.Deregistration
	all := m.Settings()
	var policies []string
	for _, p := range c.Scaling.Policies {
		policies = append(policies, p.String())
	}
	all[autoscaling.SettingPolicy] = strings.Join(policies, "; ")
	if c.ReplicaCommand != "" && c.TaskCapacity > 0 {
		all[autoscaling.SettingTaskCapacity] = strconv.FormatFloat(c.TaskCapacity, 'f', -1, 64)
		if len(c.Objective) > 0 {
			all[autoscaling.SettingObjective] = strings.Join(c.Objective, "; ")
		}
	}
	if c.ReplicaCommand == "" {
		all[autoscaling.SettingTaskCapacity] = strconv.FormatFloat(c.Capacity.PerSecond(), 'f', -1, 64)
	}
	return all
}
