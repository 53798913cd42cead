# Capacity follows load: 2 to 6 tasks, by requests and by CPU. AWS makes the High and Low alarms of both policies.

resource "aws_appautoscaling_target" "service" {
  count = var.app_image != null ? 1 : 0

  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${local.cluster_name}/${aws_ecs_service.app[0].name}"
  min_capacity       = var.min_capacity
  max_capacity       = var.max_capacity
}

resource "aws_appautoscaling_policy" "requests" {
  count = var.app_image != null ? 1 : 0

  name               = "${local.prefix}-requests"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.service[0].service_namespace
  scalable_dimension = aws_appautoscaling_target.service[0].scalable_dimension
  resource_id        = aws_appautoscaling_target.service[0].resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = var.requests_target
    scale_out_cooldown = var.scale_out_cooldown
    scale_in_cooldown  = var.scale_in_cooldown

    dynamic "predefined_metric_specification" {
      for_each = local.rolling ? [1] : []

      content {
        predefined_metric_type = "ALBRequestCountPerTarget"
        resource_label         = "${local.alb_arn_suffix}/${aws_lb_target_group.app.arn_suffix}"
      }
    }

    # ECS's canary and blue/green deployments have two target groups, for which the predefined metric is not supported.
    # The idle one counts 0, so the sum is the busy one's; while both are used it is too high, and errs to more tasks.
    dynamic "customized_metric_specification" {
      for_each = local.rolling ? [] : [1]

      content {
        dynamic "metrics" {
          for_each = { m0 = aws_lb_target_group.app.arn_suffix, m1 = one(aws_lb_target_group.alternate[*].arn_suffix) }

          content {
            id          = metrics.key
            return_data = false

            metric_stat {
              stat = "Sum"

              metric {
                namespace   = "AWS/ApplicationELB"
                metric_name = "RequestCountPerTarget"

                dimensions {
                  name  = "LoadBalancer"
                  value = local.alb_arn_suffix
                }
                dimensions {
                  name  = "TargetGroup"
                  value = metrics.value
                }
              }
            }
          }
        }

        metrics {
          id          = "sum"
          label       = "requests per target"
          expression  = "FILL(m0, 0) + FILL(m1, 0)"
          return_data = true
        }
      }
    }
  }

  # Its label names load balancer and target group, which must belong together by then.
  depends_on = [aws_lb_listener.http, aws_lb_listener.https, aws_lb_listener_rule.existing, aws_lb_listener_rule.production]
}

resource "aws_appautoscaling_policy" "cpu" {
  count = var.app_image != null ? 1 : 0

  name               = "${local.prefix}-cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.service[0].service_namespace
  scalable_dimension = aws_appautoscaling_target.service[0].scalable_dimension
  resource_id        = aws_appautoscaling_target.service[0].resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = var.cpu_target
    scale_out_cooldown = var.scale_out_cooldown
    scale_in_cooldown  = var.scale_in_cooldown

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}

# --- switches

resource "aws_appautoscaling_scheduled_action" "main" {
  for_each = var.app_image != null ? var.scheduled_scaling : {}

  name               = "${local.prefix}-${each.key}"
  service_namespace  = aws_appautoscaling_target.service[0].service_namespace
  scalable_dimension = aws_appautoscaling_target.service[0].scalable_dimension
  resource_id        = aws_appautoscaling_target.service[0].resource_id
  schedule           = each.value.schedule
  timezone           = each.value.timezone

  scalable_target_action {
    min_capacity = each.value.min_capacity
    max_capacity = each.value.max_capacity
  }
}

locals {
  latency = var.app_image != null && var.latency_scaling != null

  # p99 and the number of requests behind it, in the unit of the alarm: milliseconds.
  latency_sources = {
    alb = {
      namespace  = "AWS/ApplicationELB"
      latency    = "TargetResponseTime"
      requests   = "RequestCount"
      dimensions = { LoadBalancer = local.alb_arn_suffix }
      to_ms      = 1000
    }
    loadgen = {
      namespace  = "LoadGen"
      latency    = "Latency"
      requests   = "Requests"
      dimensions = { Service = local.metrics_service }
      to_ms      = 1
    }
  }
  latency_source = local.latency_sources[try(var.latency_scaling.source, "alb")]
}

resource "aws_appautoscaling_policy" "latency" {
  count = local.latency ? 1 : 0

  name               = "${local.prefix}-latency"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.service[0].service_namespace
  scalable_dimension = aws_appautoscaling_target.service[0].scalable_dimension
  resource_id        = aws_appautoscaling_target.service[0].resource_id

  # Out only: there is no step below the threshold. Bounds count from it.
  step_scaling_policy_configuration {
    adjustment_type         = "ChangeInCapacity"
    metric_aggregation_type = "Average"
    cooldown                = var.scale_out_cooldown

    step_adjustment {
      metric_interval_lower_bound = 0
      metric_interval_upper_bound = var.latency_scaling.p99_ms
      scaling_adjustment          = 1
    }

    step_adjustment {
      metric_interval_lower_bound = var.latency_scaling.p99_ms
      scaling_adjustment          = 2
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "latency" {
  count = local.latency ? 1 : 0

  alarm_name          = "${local.prefix}-latency"
  alarm_description   = "p99 in ms, counted as 0 in a minute with fewer than ${var.latency_scaling.min_requests} requests"
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.latency_scaling.p99_ms
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_appautoscaling_policy.latency[0].arn]

  metric_query {
    id          = "gated"
    label       = "p99 ms"
    expression  = "IF(FILL(requests, 0) >= ${var.latency_scaling.min_requests}, p99 * ${local.latency_source.to_ms}, 0)"
    return_data = true
  }

  metric_query {
    id = "p99"

    metric {
      namespace   = local.latency_source.namespace
      metric_name = local.latency_source.latency
      dimensions  = local.latency_source.dimensions
      stat        = "p99"
      period      = 60
    }
  }

  metric_query {
    id = "requests"

    metric {
      namespace   = local.latency_source.namespace
      metric_name = local.latency_source.requests
      dimensions  = local.latency_source.dimensions
      stat        = "Sum"
      period      = 60
    }
  }
}
