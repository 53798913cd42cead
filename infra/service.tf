# The API: cluster, task definition, service.

locals {
  cluster_arn  = var.existing_cluster == null ? one(aws_ecs_cluster.main[*].arn) : var.existing_cluster.arn
  cluster_name = var.existing_cluster == null ? one(aws_ecs_cluster.main[*].name) : var.existing_cluster.name

  # Read by both task definitions; the stream's prefix tells them apart in the one group.
  log_options = {
    "awslogs-group"  = aws_cloudwatch_log_group.app.name
    "awslogs-region" = local.region
    # A slow log must not hold up what it writes about.
    "mode"            = "non-blocking"
    "max-buffer-size" = "4m"
  }

  # Not root in the image, and ECS lets nobody else bind below 1024 without this.
  low_port = var.container_port < 1024

  app_container = {
    name         = "app"
    image        = var.app_image
    essential    = true
    user         = "65532:65532"
    portMappings = [{ containerPort = var.container_port, hostPort = var.container_port, protocol = "tcp" }]
    environment = concat(
      [
        { name = "SERVER_ADDR", value = ":${var.container_port}" },
        { name = "SERVER_DRAIN_DELAY", value = "${var.drain_delay}s" },
        { name = "SERVER_SHUTDOWN_GRACE", value = "${var.shutdown_grace}s" },
      ],
      local.collecting ? [{ name = "OTEL_EXPORTER_OTLP_ENDPOINT", value = local.collector_url }] : [],
    )
    # ECS does not look at the image's HEALTHCHECK.
    healthCheck = {
      command     = ["CMD", "/server", "healthcheck"]
      interval    = var.health_check_interval
      timeout     = 3
      retries     = var.health_check_threshold
      startPeriod = 5
    }
    stopTimeout            = var.app_stop_timeout
    readonlyRootFilesystem = true
    systemControls         = local.low_port ? [{ namespace = "net.ipv4.ip_unprivileged_port_start", value = "0" }] : []
    mountPoints            = []
    volumesFrom            = []
    logConfiguration = {
      logDriver = "awslogs"
      options   = merge(local.log_options, { "awslogs-stream-prefix" = "app" })
    }
  }
}

resource "aws_ecs_cluster" "main" {
  count = var.existing_cluster == null ? 1 : 0

  name = "${local.prefix}-cluster"

  setting {
    name  = "containerInsights"
    value = var.container_insights
  }
}

resource "aws_ecs_cluster_capacity_providers" "main" {
  count = var.existing_cluster == null ? 1 : 0

  cluster_name       = aws_ecs_cluster.main[0].name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]

  default_capacity_provider_strategy {
    capacity_provider = "FARGATE"
    weight            = 1
  }
}

resource "aws_ecs_task_definition" "app" {
  count = var.app_image != null ? 1 : 0

  family                   = "${local.prefix}-app"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.app_cpu
  memory                   = var.app_memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.app.arn
  container_definitions    = jsonencode(concat([local.app_container], local.collector_containers))

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.cpu_architecture
  }
}

resource "aws_ecs_service" "app" {
  count = var.app_image != null ? 1 : 0

  name             = "${local.prefix}-service"
  cluster          = local.cluster_arn
  task_definition  = aws_ecs_task_definition.app[0].arn
  platform_version = "LATEST"

  # What it begins with; from then on the autoscaler's.
  desired_count = var.min_capacity

  availability_zone_rebalancing      = var.zone_rebalancing
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = 30
  enable_ecs_managed_tags            = true
  propagate_tags                     = "SERVICE"
  wait_for_steady_state              = var.wait_for_steady_state
  # The provider refuses to change the strategy below (min_capacity, spot_percent) without it.
  force_new_deployment = true

  capacity_provider_strategy {
    capacity_provider = "FARGATE"
    base              = var.min_capacity
    weight            = 100 - var.spot_percent
  }

  dynamic "capacity_provider_strategy" {
    for_each = var.spot_percent > 0 ? [1] : []

    content {
      capacity_provider = "FARGATE_SPOT"
      weight            = var.spot_percent
    }
  }

  network_configuration {
    subnets          = values(local.private_subnets)
    security_groups  = [aws_security_group.ecs.id]
    assign_public_ip = false
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.app.arn
    container_name   = local.app_container.name
    container_port   = var.container_port

    dynamic "advanced_configuration" {
      for_each = local.rolling ? [] : [1]

      content {
        alternate_target_group_arn = aws_lb_target_group.alternate[0].arn
        production_listener_rule   = aws_lb_listener_rule.production[0].arn
        test_listener_rule         = aws_lb_listener_rule.test[0].arn
        role_arn                   = aws_iam_role.deployment[0].arn
      }
    }
  }

  dynamic "deployment_circuit_breaker" {
    for_each = local.rolling ? [1] : []

    content {
      enable   = true
      rollback = true
    }
  }

  dynamic "deployment_configuration" {
    for_each = local.rolling ? [] : [1]

    content {
      strategy             = var.deployment.strategy
      bake_time_in_minutes = var.deployment.bake_minutes

      dynamic "canary_configuration" {
        for_each = var.deployment.strategy == "CANARY" ? [1] : []

        content {
          canary_percent              = var.deployment.canary_percent
          canary_bake_time_in_minutes = var.deployment.canary_bake_minutes
        }
      }
    }
  }

  alarms {
    enable      = true
    rollback    = true
    alarm_names = [aws_cloudwatch_metric_alarm.errors.alarm_name]
  }

  # A task starts at once, and must then be able to pull, log and be reached. None of this is in an argument above.
  depends_on = [
    aws_ecs_cluster_capacity_providers.main,
    aws_iam_role_policy.execution,
    aws_iam_role_policy.execution_collector,
    aws_iam_role_policy.app_tracing,
    aws_iam_role_policy_attachment.deployment,
    aws_lb_listener.http,
    aws_lb_listener.https,
    aws_lb_listener_rule.existing,
    aws_lb_listener_rule.production,
    aws_lb_listener_rule.test,
    aws_route.private_nat,
    aws_route.public_internet,
    aws_route_table_association.private,
    aws_route_table_association.public,
    aws_vpc_endpoint.dynamodb,
    aws_vpc_endpoint.interface,
    aws_vpc_endpoint.s3,
    aws_vpc_security_group_egress_rule.alb_ecs,
    aws_vpc_security_group_egress_rule.ecs_endpoints,
    aws_vpc_security_group_egress_rule.ecs_s3,
    aws_vpc_security_group_ingress_rule.alb_clients,
    aws_vpc_security_group_ingress_rule.alb_load,
    aws_vpc_security_group_ingress_rule.ecs_alb,
    aws_vpc_security_group_ingress_rule.endpoints,
  ]

  lifecycle {
    ignore_changes = [desired_count]
  }
}

check "fargate_quota" {
  assert {
    condition     = (2 * var.max_capacity * var.app_cpu + var.load_cpu) / 1024 <= 6
    error_message = "max_capacity tasks, as many again during a rolling deployment, and a load task want ${(2 * var.max_capacity * var.app_cpu + var.load_cpu) / 1024} vCPU; a new account's quota of Fargate On-Demand vCPUs is 6. Ask for more, or choose less."
  }
}
