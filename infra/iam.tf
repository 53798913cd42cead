# Who may do what. Every policy is a template in policies/; the exceptions to "no * resource" are listed in the tests.

locals {
  # One policy a concern of the load task's role.
  load_policies = merge(
    var.publish_metrics ? { metrics = templatefile("${local.policies}/load-metrics.json.tftpl", local.who) } : {},
    var.results_bucket ? { results = templatefile("${local.policies}/load-results.json.tftpl", merge(local.who, { bucket_arn = aws_s3_bucket.results[0].arn })) } : {},
    var.results_bucket && var.encryption_key ? { results-key = templatefile("${local.policies}/load-results-key.json.tftpl", merge(local.who, { key_arn = local.key_arn })) } : {},
    var.watch_in_task ? {
      watch = templatefile("${local.policies}/load-watch.json.tftpl", merge(local.who, {
        cluster_arn         = local.cluster_arn
        cluster             = local.cluster_name
        service             = "${local.prefix}-service"
        watch_log_group_arn = aws_cloudwatch_log_group.watch.arn
      }))
    } : {},
  )
}

# ECS itself, before a container runs: pulls images, writes logs. One role for both tasks, as drawn.
resource "aws_iam_role" "execution" {
  name               = "${local.prefix}-execution"
  description        = "ECS pulls images and writes logs for the tasks"
  assume_role_policy = templatefile("${local.policies}/trust-service.json.tftpl", merge(local.who, { service = "ecs-tasks" }))
}

resource "aws_iam_role_policy" "execution" {
  name = "pull-and-log"
  role = aws_iam_role.execution.name
  policy = templatefile("${local.policies}/execution.json.tftpl", merge(local.who, {
    app_repository_arn     = aws_ecr_repository.main["app"].arn
    loadgen_repository_arn = aws_ecr_repository.main["loadgen"].arn
    log_group_arn          = aws_cloudwatch_log_group.app.arn
  }))
}

# The API's own: it asks AWS for nothing, so it may do nothing.
resource "aws_iam_role" "app" {
  name               = "${local.prefix}-app"
  description        = "The API's own permissions: none, but for tracing when that is on"
  assume_role_policy = templatefile("${local.policies}/trust-service.json.tftpl", merge(local.who, { service = "ecs-tasks" }))
}

# The load test's own.
resource "aws_iam_role" "load" {
  name               = "${local.prefix}-load"
  description        = "The load test publishes metrics and keeps results"
  assume_role_policy = templatefile("${local.policies}/trust-service.json.tftpl", merge(local.who, { service = "ecs-tasks" }))
}

resource "aws_iam_role_policy" "load" {
  for_each = local.load_policies

  name   = each.key
  role   = aws_iam_role.load.name
  policy = each.value
}

# --- the reaper

resource "aws_iam_role" "reaper" {
  count = local.reaper ? 1 : 0

  name               = "${local.prefix}-reaper"
  description        = "Stops a load test task that outlived its time"
  assume_role_policy = templatefile("${local.policies}/trust-service.json.tftpl", merge(local.who, { service = "states" }))
}

resource "aws_iam_role_policy" "reaper" {
  count = local.reaper ? 1 : 0

  name   = "stop-task"
  role   = aws_iam_role.reaper[0].name
  policy = templatefile("${local.policies}/reaper.json.tftpl", merge(local.who, { cluster = local.cluster_name, cluster_arn = local.cluster_arn }))
}

resource "aws_iam_role" "reaper_start" {
  count = local.reaper ? 1 : 0

  name               = "${local.prefix}-reaper-start"
  description        = "EventBridge starts the reaper"
  assume_role_policy = templatefile("${local.policies}/trust-service.json.tftpl", merge(local.who, { service = "events" }))
}

resource "aws_iam_role_policy" "reaper_start" {
  count = local.reaper ? 1 : 0

  name   = "start"
  role   = aws_iam_role.reaper_start[0].name
  policy = templatefile("${local.policies}/reaper-start.json.tftpl", merge(local.who, { state_machine_arn = aws_sfn_state_machine.reaper[0].arn }))
}
