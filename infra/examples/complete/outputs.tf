# What infra/stack and loadgen read; the same in each example.

output "alb_url" {
  description = "Where the API answers."
  value       = module.system.alb_url
}

output "cluster" {
  description = "Name of the ECS cluster."
  value       = module.system.cluster
}

output "service" {
  description = "Name of the ECS service; null before there is an image."
  value       = module.system.service
}

output "load_task_definition" {
  description = "Load test task definition, with its revision; null before there is an image."
  value       = module.system.load_task_definition
}

output "load_subnets" {
  description = "Subnets of a load task."
  value       = module.system.load_subnets
}

output "load_security_groups" {
  description = "Security groups of a load task."
  value       = module.system.load_security_groups
}

output "load_assign_public_ip" {
  description = "Whether a load task needs a public address to reach the load balancer."
  value       = module.system.load_assign_public_ip
}

output "results_bucket" {
  description = "Bucket of results; null without one."
  value       = module.system.results_bucket
}

output "watch_log_group" {
  description = "Log group for the scaling timeline that a watcher writes."
  value       = module.system.watch_log_group
}

output "dashboard" {
  description = "What `loadgen dashboard --terraform-outputs` fills the dashboards with."
  value       = module.system.dashboard
}

output "log_group" {
  description = "Log group of the API and the load test."
  value       = module.system.log_group
}

output "policies" {
  description = "The least policies that uses of loadgen need, by name, as JSON: to attach to whoever launches, watches or reads results."
  value       = module.system.policies
}

output "region" {
  description = "Region that all is in."
  value       = module.system.region
}

output "repositories" {
  description = "Addresses to push images to, by name."
  value       = module.system.repositories
}

output "cpu_architecture" {
  description = "What images are built for."
  value       = module.system.cpu_architecture
}

output "deletion_protection" {
  description = "Whether the load balancer refuses to be deleted."
  value       = module.system.deletion_protection
}

output "collector_source" {
  description = "Image that `push` mirrors as the collector; null without tracing."
  value       = module.system.collector_source
}

output "deployment_test_header" {
  description = "Header, NAME: VALUE, that reaches the new version of a canary or blue/green deployment; null when rolling."
  value       = module.system.deployment_test_header
}

output "experiments" {
  description = "FIS experiment templates, by name."
  value       = module.system.experiments
}

output "github_roles" {
  description = "Roles for GitHub Actions, by name."
  value       = module.system.github_roles
}

output "monthly_cost" {
  description = "USD a month at rest, by item; cost.tf says what is in it and what is not."
  value       = module.system.monthly_cost
}

output "monthly_cost_summary" {
  description = "The same in a line."
  value       = module.system.monthly_cost_summary
}
