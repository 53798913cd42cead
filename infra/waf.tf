# Protection before the load balancer. The load generator is exempt from the rate rule alone: the managed groups see
# its requests like anybody's.

locals {
  waf_managed_groups = var.waf == null ? {} : {
    AWSManagedRulesAmazonIpReputationList = 10
    AWSManagedRulesKnownBadInputsRuleSet  = 20
    AWSManagedRulesCommonRuleSet          = 30
  }

  # Through the gateway all come from its address; an internal load balancer sees the task's own.
  waf_exempt = var.waf == null ? [] : (
    var.waf.exempt_cidrs != null ? var.waf.exempt_cidrs :
    local.nat ? ["${aws_eip.nat[0].public_ip}/32"] :
    [for s in aws_subnet.private : s.cidr_block]
  )
}

resource "aws_wafv2_ip_set" "load" {
  count = var.waf != null ? 1 : 0

  name               = "${local.prefix}-load"
  description        = "Where the load generator comes from"
  scope              = "REGIONAL"
  ip_address_version = "IPV4"
  addresses          = local.waf_exempt
}

resource "aws_wafv2_web_acl" "main" {
  count = var.waf != null ? 1 : 0

  name        = local.prefix
  description = "Managed groups and a rate per address"
  scope       = "REGIONAL"

  default_action {
    allow {}
  }

  rule {
    name     = "rate"
    priority = 1

    action {
      dynamic "block" {
        for_each = var.waf.count_only ? [] : [1]
        content {}
      }
      dynamic "count" {
        for_each = var.waf.count_only ? [1] : []
        content {}
      }
    }

    statement {
      rate_based_statement {
        limit                 = var.waf.rate_limit
        evaluation_window_sec = 300
        aggregate_key_type    = "IP"

        scope_down_statement {
          not_statement {
            statement {
              ip_set_reference_statement {
                arn = aws_wafv2_ip_set.load[0].arn
              }
            }
          }
        }
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "${local.prefix}-rate"
      sampled_requests_enabled   = true
    }
  }

  dynamic "rule" {
    for_each = local.waf_managed_groups

    content {
      name     = rule.key
      priority = rule.value

      override_action {
        dynamic "none" {
          for_each = var.waf.count_only ? [] : [1]
          content {}
        }
        dynamic "count" {
          for_each = var.waf.count_only ? [1] : []
          content {}
        }
      }

      statement {
        managed_rule_group_statement {
          vendor_name = "AWS"
          name        = rule.key
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = rule.key
        sampled_requests_enabled   = true
      }
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = local.prefix
    sampled_requests_enabled   = true
  }
}

resource "aws_wafv2_web_acl_association" "main" {
  count = var.waf != null ? 1 : 0

  web_acl_arn  = aws_wafv2_web_acl.main[0].arn
  resource_arn = local.alb_arn
}

# WAF takes only groups whose name begins so.
resource "aws_cloudwatch_log_group" "waf" {
  count = var.waf != null ? 1 : 0

  name              = "aws-waf-logs-${local.prefix}"
  retention_in_days = var.log_retention_days
  kms_key_id        = local.key_arn
}

resource "aws_wafv2_web_acl_logging_configuration" "main" {
  count = var.waf != null ? 1 : 0

  resource_arn            = aws_wafv2_web_acl.main[0].arn
  log_destination_configs = [aws_cloudwatch_log_group.waf[0].arn]

  # What was let through is the load test itself: 375 lines a second.
  logging_filter {
    default_behavior = "DROP"

    filter {
      behavior    = "KEEP"
      requirement = "MEETS_ANY"

      condition {
        action_condition {
          action = "BLOCK"
        }
      }
      condition {
        action_condition {
          action = "COUNT"
        }
      }
    }
  }
}
