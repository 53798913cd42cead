# Failures on purpose, with FIS: tasks that are stopped, a zone that is lost. Both end when too many answers are errors.

locals {
  chaos      = var.chaos != null && var.app_image != null
  chaos_zone = local.chaos && try(var.chaos.zone, null) != null
}

resource "aws_cloudwatch_metric_alarm" "chaos_abort" {
  count = local.chaos ? 1 : 0

  alarm_name          = "${local.prefix}-chaos-abort"
  alarm_description   = "percent of requests answered with 5xx; ends an experiment"
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.chaos.abort_error_percent
  evaluation_periods  = 2
  treat_missing_data  = "notBreaching"

  metric_query {
    id          = "percent"
    label       = "percent of 5xx"
    expression  = "100 * (FILL(target, 0) + FILL(balancer, 0)) / (FILL(requests, 0) + FILL(balancer, 0) + 0.000001)"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { requests = "RequestCount", target = "HTTPCode_Target_5XX_Count", balancer = "HTTPCode_ELB_5XX_Count" }

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

resource "aws_cloudwatch_log_group" "chaos" {
  count = local.chaos ? 1 : 0

  name              = "/aws/fis/${local.prefix}"
  retention_in_days = var.log_retention_days
  kms_key_id        = local.key_arn
}

resource "aws_fis_experiment_template" "stop_tasks" {
  count = local.chaos ? 1 : 0

  description = "${local.prefix}: stop ${var.chaos.stop_percent} % of the API's tasks"
  role_arn    = aws_iam_role.chaos[0].arn

  stop_condition {
    source = "aws:cloudwatch:alarm"
    value  = aws_cloudwatch_metric_alarm.chaos_abort[0].arn
  }

  action {
    name      = "stop"
    action_id = "aws:ecs:stop-task"

    target {
      key   = "Tasks"
      value = "api"
    }
  }

  target {
    name           = "api"
    resource_type  = "aws:ecs:task"
    selection_mode = "PERCENT(${var.chaos.stop_percent})"
    parameters     = { cluster = local.cluster_name, service = aws_ecs_service.app[0].name }
  }

  experiment_options {
    account_targeting            = "single-account"
    empty_target_resolution_mode = "fail"
  }

  log_configuration {
    log_schema_version = 2

    cloudwatch_logs_configuration {
      log_group_arn = "${aws_cloudwatch_log_group.chaos[0].arn}:*"
    }
  }

  tags = { Name = "${local.prefix}-stop-tasks" }

  depends_on = [aws_iam_role_policy.chaos, aws_iam_role_policy_attachment.chaos]
}

# The private subnet of one zone loses its network, and the tasks in it are stopped. Load balancer, endpoints and load
# test are elsewhere.
resource "aws_fis_experiment_template" "zone" {
  count = local.chaos_zone ? 1 : 0

  description = "${local.prefix}: lose ${var.chaos.zone} for ${var.chaos.zone_minutes} minutes"
  role_arn    = aws_iam_role.chaos[0].arn

  stop_condition {
    source = "aws:cloudwatch:alarm"
    value  = aws_cloudwatch_metric_alarm.chaos_abort[0].arn
  }

  action {
    name      = "cut-off"
    action_id = "aws:network:disrupt-connectivity"

    parameter {
      key   = "duration"
      value = "PT${var.chaos.zone_minutes}M"
    }
    parameter {
      key   = "scope"
      value = "all"
    }

    target {
      key   = "Subnets"
      value = "subnets"
    }
  }

  action {
    name      = "stop"
    action_id = "aws:ecs:stop-task"

    target {
      key   = "Tasks"
      value = "tasks"
    }
  }

  target {
    name           = "subnets"
    resource_type  = "aws:ec2:subnet"
    selection_mode = "ALL"
    resource_arns  = ["arn:${local.partition}:ec2:${local.region}:${local.account_id}:subnet/${local.private_subnets[var.chaos.zone]}"]
  }

  target {
    name           = "tasks"
    resource_type  = "aws:ecs:task"
    selection_mode = "ALL"
    parameters     = { cluster = local.cluster_name, service = aws_ecs_service.app[0].name }

    filter {
      path   = "AvailabilityZone"
      values = [var.chaos.zone]
    }
  }

  experiment_options {
    account_targeting            = "single-account"
    empty_target_resolution_mode = "fail"
  }

  log_configuration {
    log_schema_version = 2

    cloudwatch_logs_configuration {
      log_group_arn = "${aws_cloudwatch_log_group.chaos[0].arn}:*"
    }
  }

  tags = { Name = "${local.prefix}-zone" }

  depends_on = [aws_iam_role_policy.chaos, aws_iam_role_policy_attachment.chaos]
}

resource "aws_iam_role" "chaos" {
  count = local.chaos ? 1 : 0

  name               = "${local.prefix}-chaos"
  description        = "FIS stops tasks and cuts off subnets"
  assume_role_policy = templatefile("${local.policies}/trust-service.json.tftpl", merge(local.who, { service = "fis" }))
}

resource "aws_iam_role_policy_attachment" "chaos" {
  for_each = local.chaos ? toset(concat(["AWSFaultInjectionSimulatorECSAccess"], local.chaos_zone ? ["AWSFaultInjectionSimulatorNetworkAccess"] : [])) : []

  role       = aws_iam_role.chaos[0].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/service-role/${each.key}"
}

resource "aws_iam_role_policy" "chaos" {
  count = local.chaos ? 1 : 0

  name   = "log"
  role   = aws_iam_role.chaos[0].name
  policy = templatefile("${local.policies}/chaos-log.json.tftpl", local.who)
}
