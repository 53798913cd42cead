# Who may do what. Every policy is a template in policies/; the exceptions to "no * resource" are listed in the tests.

locals {
  # The least that each use of loadgen needs. A test holds each to the calls that the program makes. Each is a value of its own,
  # so that a role waits for what its policy names and for nothing else.
  metrics_policy     = templatefile("${local.policies}/load-metrics.json.tftpl", local.who)
  results_policy     = var.results_bucket ? templatefile("${local.policies}/load-results.json.tftpl", merge(local.who, { bucket_arn = aws_s3_bucket.results[0].arn })) : null
  results_key_policy = var.results_bucket && var.encryption_key ? templatefile("${local.policies}/load-results-key.json.tftpl", merge(local.who, { key_arn = local.key_arn })) : null
  tracing_policy     = templatefile("${local.policies}/tracing.json.tftpl", local.who)
  watch_policy       = templatefile("${local.policies}/load-watch.json.tftpl", local.watched)
  watch_log_policy   = templatefile("${local.policies}/watch-log.json.tftpl", merge(local.who, { watch_log_group_arn = aws_cloudwatch_log_group.watch.arn }))

  watched = merge(local.who, {
    cluster_arn  = local.cluster_arn
    cluster      = local.cluster_name
    service      = "${local.prefix}-service"
    alarm_prefix = "${local.prefix}-"
  })

  # One policy a concern of the load task's role.
  load_policies = merge(
    var.publish_metrics ? { metrics = local.metrics_policy } : {},
    var.results_bucket ? { results = local.results_policy } : {},
    var.results_bucket && var.encryption_key ? { results-key = local.results_key_policy } : {},
    var.watch_in_task ? { watch = local.watch_policy, watch-log = local.watch_log_policy } : {},
  )

  # By the template's name, for an output: whoever launches, watches or reads results is not of this module.
  uses = { for name, document in {
    load-metrics     = local.metrics_policy
    load-results     = local.results_policy
    load-results-key = local.results_key_policy
    results-read     = var.results_bucket ? templatefile("${local.policies}/results-read.json.tftpl", merge(local.who, { bucket_arn = aws_s3_bucket.results[0].arn })) : null
    load-watch       = local.watch_policy
    watch-log        = local.watch_log_policy
    tracing          = local.tracing_policy
    otlp-metrics     = templatefile("${local.policies}/otlp-metrics.json.tftpl", local.who)
    launch-run = templatefile("${local.policies}/launch-run.json.tftpl", merge(local.watched, {
      family             = "${local.prefix}-loadgen"
      execution_role_arn = aws_iam_role.execution.arn
      task_role_arn      = aws_iam_role.load.arn
    }))
    # The family of what fargate run registers for an image.
    launch-image   = templatefile("${local.policies}/launch-image.json.tftpl", merge(local.who, { family = "loadgen" }))
    launch-plan    = templatefile("${local.policies}/launch-plan.json.tftpl", local.who)
    launch-collect = templatefile("${local.policies}/launch-collect.json.tftpl", local.watched)
  } : name => document if document != null }
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
