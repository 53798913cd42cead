# The load balancer: listener, target group, and what stands before them.

locals {
  rolling = var.deployment.strategy == "ROLLING"

  alb_arn        = local.own_alb ? one(aws_lb.main[*].arn) : var.existing_alb.arn
  alb_arn_suffix = local.own_alb ? one(aws_lb.main[*].arn_suffix) : var.existing_alb.arn_suffix
  alb_url = (
    !local.own_alb ? var.existing_alb.url :
    local.https ? "https://${var.domain_name}" :
    "http://${one(aws_lb.main[*].dns_name)}"
  )

  # Where requests are handed on; with HTTPS the other one only redirects.
  listener_arn = (
    !local.own_alb ? var.existing_alb.listener_arn :
    local.https ? one(aws_lb_listener.https[*].arn) :
    one(aws_lb_listener.http[*].arn)
  )
}

resource "aws_lb" "main" {
  count = local.own_alb ? 1 : 0

  name               = "${local.prefix}-alb"
  load_balancer_type = "application"
  internal           = local.internal
  security_groups    = [aws_security_group.alb[0].id]
  subnets            = values(local.internal ? local.private_subnets : local.public_subnets)

  drop_invalid_header_fields = true
  enable_deletion_protection = var.deletion_protection
  # The API keeps idle connections for longer, else requests meet closed ones: 502.
  idle_timeout = 60

  dynamic "access_logs" {
    for_each = var.access_logs ? [1] : []

    content {
      enabled = true
      bucket  = aws_s3_bucket.alb_logs[0].id
      prefix  = "access"
    }
  }

  dynamic "health_check_logs" {
    for_each = var.health_check_logs ? [1] : []

    content {
      enabled = true
      bucket  = aws_s3_bucket.alb_logs[0].id
      prefix  = "health"
    }
  }

  tags = { Name = "${local.prefix}-alb" }

  # An internet-facing load balancer needs the gateway; logs are tried once when they are switched on.
  depends_on = [aws_route.public_internet, aws_s3_bucket_policy.alb_logs, aws_s3_bucket_server_side_encryption_configuration.alb_logs]
}

resource "aws_lb_target_group" "app" {
  name        = "${local.prefix}-tg"
  target_type = "ip"
  protocol    = "HTTP"
  port        = var.container_port
  vpc_id      = local.vpc_id

  deregistration_delay = var.deregistration_delay

  health_check {
    path                = "/health"
    protocol            = "HTTP"
    port                = "traffic-port"
    matcher             = "200"
    interval            = var.health_check_interval
    timeout             = min(5, var.health_check_interval - 1)
    healthy_threshold   = var.health_check_threshold
    unhealthy_threshold = var.health_check_threshold
  }

  tags = { Name = "${local.prefix}-tg" }
}

resource "aws_lb_listener" "http" {
  count = local.own_alb ? 1 : 0

  load_balancer_arn = aws_lb.main[0].arn
  protocol          = "HTTP"
  port              = 80

  dynamic "default_action" {
    for_each = local.https ? [1] : []

    content {
      type = "redirect"

      redirect {
        protocol    = "HTTPS"
        port        = "443"
        status_code = "HTTP_301"
      }
    }
  }

  dynamic "default_action" {
    for_each = !local.https && local.rolling ? [1] : []

    content {
      type             = "forward"
      target_group_arn = aws_lb_target_group.app.arn
    }
  }

  # ECS moves the weights of a rule, never of the default; so the default says when the rule is gone.
  dynamic "default_action" {
    for_each = !local.https && !local.rolling ? [1] : []

    content {
      type = "fixed-response"

      fixed_response {
        content_type = "text/plain"
        status_code  = "503"
        message_body = "no listener rule"
      }
    }
  }
}

resource "aws_lb_listener" "https" {
  count = local.own_alb && local.https ? 1 : 0

  load_balancer_arn = aws_lb.main[0].arn
  protocol          = "HTTPS"
  port              = 443
  certificate_arn   = var.certificate_arn
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"

  dynamic "default_action" {
    for_each = local.rolling ? [1] : []

    content {
      type             = "forward"
      target_group_arn = aws_lb_target_group.app.arn
    }
  }

  dynamic "default_action" {
    for_each = local.rolling ? [] : [1]

    content {
      type = "fixed-response"

      fixed_response {
        content_type = "text/plain"
        status_code  = "503"
        message_body = "no listener rule"
      }
    }
  }
}

# On somebody else's load balancer we have a rule, not the default.
resource "aws_lb_listener_rule" "existing" {
  count = local.own_alb ? 0 : 1

  listener_arn = var.existing_alb.listener_arn
  priority     = var.existing_alb.listener_rule_priority

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.app.arn
  }

  dynamic "condition" {
    for_each = length(var.existing_alb.host_headers) > 0 ? [1] : []

    content {
      host_header {
        values = var.existing_alb.host_headers
      }
    }
  }

  condition {
    path_pattern {
      values = ["/*"]
    }
  }
}

resource "aws_route53_record" "app" {
  count = var.hosted_zone_id != null ? 1 : 0

  zone_id = var.hosted_zone_id
  name    = var.domain_name
  type    = "A"

  alias {
    name                   = aws_lb.main[0].dns_name
    zone_id                = aws_lb.main[0].zone_id
    evaluate_target_health = false
  }
}

# --- logs of the load balancer

locals {
  alb_logs = var.access_logs || var.health_check_logs
}

resource "aws_s3_bucket" "alb_logs" {
  count = local.alb_logs ? 1 : 0

  bucket        = "${local.prefix}-alb-logs-${local.account_id}"
  force_destroy = var.force_delete
}

resource "aws_s3_bucket_public_access_block" "alb_logs" {
  count = local.alb_logs ? 1 : 0

  bucket                  = aws_s3_bucket.alb_logs[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# Not KMS: load balancers cannot write to a bucket that uses it.
resource "aws_s3_bucket_server_side_encryption_configuration" "alb_logs" {
  count = local.alb_logs ? 1 : 0

  bucket = aws_s3_bucket.alb_logs[0].id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "alb_logs" {
  count = local.alb_logs ? 1 : 0

  bucket = aws_s3_bucket.alb_logs[0].id

  rule {
    id     = "expire"
    status = "Enabled"

    filter {}

    expiration {
      days = var.results_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

resource "aws_s3_bucket_policy" "alb_logs" {
  count = local.alb_logs ? 1 : 0

  bucket = aws_s3_bucket.alb_logs[0].id
  policy = templatefile("${local.policies}/alb-logs-bucket.json.tftpl", merge(local.who, {
    bucket_arn = aws_s3_bucket.alb_logs[0].arn
  }))

  depends_on = [aws_s3_bucket_public_access_block.alb_logs]
}
