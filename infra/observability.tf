# Logs, alarms, dashboards, budget.

locals {
  # The dimension Service of what the load generator publishes.
  metrics_service = "${local.prefix}-service"
}

# Both the API and the load test write to it, as in the drawing, each under its own stream prefix.
resource "aws_cloudwatch_log_group" "app" {
  name              = "/ecs/${local.prefix}-app"
  retention_in_days = var.log_retention_days
  kms_key_id        = local.key_arn
}

# What a watcher of the run writes: scaling activities, which no event of AWS's carries.
resource "aws_cloudwatch_log_group" "watch" {
  name              = "/loadgen/${local.prefix}-watch"
  retention_in_days = var.log_retention_days
  kms_key_id        = local.key_arn
}

# Rolls a deployment back.
resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "${local.prefix}-5xx"
  alarm_description   = "5xx answers in a minute, of the API and of the load balancer"
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = var.rollback_error_count
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  treat_missing_data  = "notBreaching"

  metric_query {
    id          = "errors"
    label       = "5xx answers"
    expression  = "FILL(target, 0) + FILL(balancer, 0)"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { target = "HTTPCode_Target_5XX_Count", balancer = "HTTPCode_ELB_5XX_Count" }

    content {
      id = metric_query.key

      metric {
        namespace   = "AWS/ApplicationELB"
        metric_name = metric_query.value
        dimensions  = { LoadBalancer = local.alb_arn_suffix }
        stat        = "Sum"
        period      = 60
      }
    }
  }
}

# --- ECS events

resource "aws_cloudwatch_log_group" "events" {
  count = var.event_log ? 1 : 0

  name              = "/aws/events/${local.prefix}-ecs"
  retention_in_days = var.log_retention_days
  kms_key_id        = local.key_arn
}

resource "aws_cloudwatch_log_resource_policy" "events" {
  count = var.event_log ? 1 : 0

  policy_name = "${local.prefix}-events"
  policy_document = templatefile("${local.policies}/events-log-resource.json.tftpl", merge(local.who, {
    log_group_arn = aws_cloudwatch_log_group.events[0].arn
  }))
}

# Task events name the cluster in their detail. Service and deployment events name the service as a resource.
locals {
  event_patterns = var.event_log ? {
    tasks = jsonencode({
      source      = ["aws.ecs"]
      detail-type = ["ECS Task State Change"]
      detail      = { clusterArn = [local.cluster_arn] }
    })
    service = jsonencode({
      source      = ["aws.ecs"]
      detail-type = ["ECS Service Action", "ECS Deployment State Change"]
      resources   = ["arn:${local.partition}:ecs:${local.region}:${local.account_id}:service/${local.cluster_name}/${local.prefix}-service"]
    })
  } : {}
}

resource "aws_cloudwatch_event_rule" "events" {
  for_each = local.event_patterns

  name          = "${local.prefix}-${each.key}"
  description   = "ECS events of the experiment, into a log"
  event_pattern = each.value
}

resource "aws_cloudwatch_event_target" "events" {
  for_each = local.event_patterns

  rule      = aws_cloudwatch_event_rule.events[each.key].name
  target_id = "log"
  arn       = aws_cloudwatch_log_group.events[0].arn

  depends_on = [aws_cloudwatch_log_resource_policy.events]
}

# --- dashboards

# What the placeholders of ../dashboards stand for. It is an output too, so that `loadgen dashboard` fills them in alike.
locals {
  dashboard = {
    region          = local.region
    cluster         = local.cluster_name
    service         = "${local.prefix}-service"
    load_balancer   = local.alb_arn_suffix
    target_group    = aws_lb_target_group.app.arn_suffix
    metrics_service = local.metrics_service
    log_group       = aws_cloudwatch_log_group.app.name
    watch_log_group = aws_cloudwatch_log_group.watch.name
    # AWS makes those of target tracking, with names of its own.
    alarm_arns = concat(
      [aws_cloudwatch_metric_alarm.errors.arn],
      aws_cloudwatch_metric_alarm.latency[*].arn,
      flatten(aws_appautoscaling_policy.requests[*].alarm_arns),
      flatten(aws_appautoscaling_policy.cpu[*].alarm_arns),
    )
    min_capacity    = var.min_capacity
    max_capacity    = var.max_capacity
    requests_target = var.requests_target
    cpu_target      = var.cpu_target
    objective_ms    = var.latency_objective_ms
    resolution      = 60 # the load test's metrics, in seconds
  }
}

resource "aws_cloudwatch_dashboard" "main" {
  for_each = var.dashboards ? toset(["experiment", "api"]) : []

  dashboard_name = "${local.prefix}-${each.key}"
  dashboard_body = templatefile("${path.module}/../dashboards/${each.key}.json", merge(local.dashboard, {
    alarm_arns = jsonencode(local.dashboard.alarm_arns)
  }))
}

# --- budget

resource "aws_budgets_budget" "main" {
  count = var.budget != null ? 1 : 0

  name         = local.prefix
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(var.budget.limit_usd)
  limit_unit   = "USD"

  cost_filter {
    name   = "TagKeyValue"
    values = [format("user:Project$%s", var.project)]
  }

  dynamic "notification" {
    for_each = toset(["ACTUAL", "FORECASTED"])

    content {
      notification_type          = notification.key
      comparison_operator        = "GREATER_THAN"
      threshold                  = notification.key == "ACTUAL" ? 80 : 100
      threshold_type             = "PERCENTAGE"
      subscriber_email_addresses = var.budget.emails
    }
  }
}
