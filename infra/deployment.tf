# ECS's own canary and blue/green deployments: a second target group, and listener rules whose weights ECS moves.

locals {
  shifting = local.own_alb && !local.rolling
}

resource "aws_lb_target_group" "alternate" {
  count = local.rolling ? 0 : 1

  name        = "${local.prefix}-tg2"
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

  tags = { Name = "${local.prefix}-tg2" }
}

resource "aws_lb_listener_rule" "production" {
  count = local.shifting ? 1 : 0

  listener_arn = local.listener_arn
  priority     = 100

  action {
    type = "forward"

    forward {
      target_group {
        arn    = aws_lb_target_group.app.arn
        weight = 100
      }
      target_group {
        arn    = aws_lb_target_group.alternate[0].arn
        weight = 0
      }
    }
  }

  condition {
    path_pattern {
      values = ["/*"]
    }
  }

  lifecycle {
    ignore_changes = [action]
  }
}

# A run that sends the header reaches the new version alone, before and while it bakes: a gate for the deployment.
resource "aws_lb_listener_rule" "test" {
  count = local.shifting ? 1 : 0

  listener_arn = local.listener_arn
  priority     = 50

  action {
    type = "forward"

    forward {
      target_group {
        arn    = aws_lb_target_group.app.arn
        weight = 0
      }
      target_group {
        arn    = aws_lb_target_group.alternate[0].arn
        weight = 100
      }
    }
  }

  condition {
    http_header {
      http_header_name = var.deployment.test_header
      values           = [local.prefix]
    }
  }

  lifecycle {
    ignore_changes = [action]
  }
}

resource "aws_iam_role" "deployment" {
  count = local.rolling ? 0 : 1

  name               = "${local.prefix}-deployment"
  description        = "ECS moves traffic between two target groups"
  assume_role_policy = templatefile("${local.policies}/trust-ecs-infrastructure.json.tftpl", local.who)
}

resource "aws_iam_role_policy_attachment" "deployment" {
  count = local.rolling ? 0 : 1

  role       = aws_iam_role.deployment[0].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/AmazonECSInfrastructureRolePolicyForLoadBalancers"
}
