# Names that `loadgen` reads: cluster, service, load_task_definition, load_subnets, load_security_groups,
# load_assign_public_ip, results_bucket, alb_url, watch_log_group; and dashboard, of which it takes what is inside.

output "alb_url" {
  description = "Where the API answers."
  value       = local.alb_url
}

output "cluster" {
  description = "Name of the ECS cluster."
  value       = local.cluster_name
}

output "service" {
  description = "Name of the ECS service; null before there is an image."
  value       = one(aws_ecs_service.app[*].name)
}

output "load_task_definition" {
  description = "Load test task definition, with its revision; null before there is an image."
  value       = one(aws_ecs_task_definition.load[*].arn)
}

output "load_subnets" {
  description = "Subnets of a load task."
  value       = local.load_subnets
}

output "load_security_groups" {
  description = "Security groups of a load task."
  value       = [aws_security_group.load.id]
}

output "load_assign_public_ip" {
  description = "Whether a load task needs a public address to reach the load balancer."
  value       = local.load_public
}

output "results_bucket" {
  description = "Bucket of results; null without one."
  value       = one(aws_s3_bucket.results[*].bucket)
}

output "watch_log_group" {
  description = "Log group for the scaling timeline that a watcher writes."
  value       = aws_cloudwatch_log_group.watch.name
}

output "dashboard" {
  description = "What `loadgen dashboard --terraform-outputs` fills the dashboards with."
  value       = local.dashboard
}

output "log_group" {
  description = "Log group of the API and the load test."
  value       = aws_cloudwatch_log_group.app.name
}

output "policies" {
  description = "The least policies that uses of loadgen need, by name, as JSON: to attach to whoever launches, watches or reads results."
  value       = local.uses
}

output "region" {
  description = "Region that all is in."
  value       = local.region
}

output "repositories" {
  description = "Addresses to push images to, by name."
  value       = { for name, r in aws_ecr_repository.main : name => r.repository_url }
}

output "cpu_architecture" {
  description = "What images are built for."
  value       = var.cpu_architecture
}

output "deletion_protection" {
  description = "Whether the load balancer refuses to be deleted."
  value       = var.deletion_protection
}

output "collector_source" {
  description = "Image that `push` mirrors as the collector; null without tracing."
  value       = try(var.tracing.collector_source, null)
}

output "deployment_test_header" {
  description = "Header, NAME: VALUE, that reaches the new version of a canary or blue/green deployment; null when rolling."
  value       = local.rolling ? null : "${var.deployment.test_header}: ${local.prefix}"
}

output "experiments" {
  description = "FIS experiment templates, by name."
  value = merge(
    { for t in aws_fis_experiment_template.stop_tasks : "stop-tasks" => t.id },
    { for t in aws_fis_experiment_template.zone : "zone" => t.id },
  )
}

output "github_roles" {
  description = "Roles for GitHub Actions, by name."
  value       = { for name, r in aws_iam_role.github : name => r.arn }
}

output "monthly_cost" {
  description = "USD a month at rest, by item; cost.tf says what is in it and what is not."
  value       = local.monthly_cost
}

output "monthly_cost_summary" {
  description = "The same in a line."
  value       = format("$%.0f a month at rest, and $%.3f an hour for each further API task, $%.3f for a load task", sum(values(local.monthly_cost)), local.task_hour, local.load_hour)
}
