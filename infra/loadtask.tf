# The load test: a one-off task in place of Locust's, started by hand or by a pipeline, never by a service.

locals {
  # Not in the zone that an experiment cuts off: the load must see what happens, not share it.
  load_zones   = [for z in var.availability_zones : z if z != try(var.chaos.zone, null)]
  load_public  = var.load_path == "public"
  load_subnets = [for z in local.load_zones : local.load_public ? local.public_subnets[z] : local.private_subnets[z]]

  load_environment = merge(
    {
      LOADGEN_HOST       = local.alb_url
      LOADGEN_USERS      = tostring(var.load_users)
      LOADGEN_SPAWN_RATE = tostring(var.load_spawn_rate)
      LOADGEN_RUN_TIME   = var.load_run_time
      LOADGEN_NAME       = local.prefix
    },
    var.publish_metrics ? { LOADGEN_CLOUDWATCH = "true", LOADGEN_SERVICE = local.metrics_service } : {},
    var.results_bucket ? { LOADGEN_S3 = "s3://${aws_s3_bucket.results[0].bucket}/runs" } : {},
    var.watch_in_task ? {
      LOADGEN_WATCH     = "ecs:${local.cluster_name}/${local.prefix}-service"
      LOADGEN_WATCH_LOG = aws_cloudwatch_log_group.watch.name
    } : {},
    local.collecting ? { LOADGEN_OTLP = local.collector_url } : {},
  )

  load_container = {
    name                   = "loadgen"
    image                  = var.loadgen_image
    essential              = true
    user                   = "65532:65532"
    environment            = [for name in sort(keys(local.load_environment)) : { name = name, value = local.load_environment[name] }]
    stopTimeout            = 120 # all that Fargate gives: drain, write the result, upload it
    readonlyRootFilesystem = true
    # Exactly the path of the image's VOLUME: only then the volume takes its owner. Anywhere else it is root's, and the
    # user above cannot write.
    mountPoints    = [{ sourceVolume = "results", containerPath = "/results", readOnly = false }]
    portMappings   = []
    systemControls = []
    volumesFrom    = []
    logConfiguration = {
      logDriver = "awslogs"
      options   = merge(local.log_options, { "awslogs-stream-prefix" = "loadgen" })
    }
  }
}

resource "aws_ecs_task_definition" "load" {
  count = var.loadgen_image != null ? 1 : 0

  family                   = "${local.prefix}-loadgen"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.load_cpu
  memory                   = var.load_memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.load.arn
  container_definitions    = jsonencode(concat([local.load_container], local.collector_containers))

  volume {
    name = "results"
  }

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.cpu_architecture
  }
}

# --- the reaper: a task whose launcher died ends by its own run time; one that hangs is stopped here. A rule sees it
# start, a state machine waits and stops it. A task that ended long before is not found, which is fine.

locals {
  reaper = var.load_max_minutes != null
}

resource "aws_cloudwatch_event_rule" "reaper" {
  count = local.reaper ? 1 : 0

  name        = "${local.prefix}-reaper"
  description = "A load test task runs"
  event_pattern = jsonencode({
    source      = ["aws.ecs"]
    detail-type = ["ECS Task State Change"]
    detail = {
      clusterArn = [local.cluster_arn]
      group      = ["family:${local.prefix}-loadgen"]
      lastStatus = ["RUNNING"]
    }
  })
}

resource "aws_cloudwatch_event_target" "reaper" {
  count = local.reaper ? 1 : 0

  rule      = aws_cloudwatch_event_rule.reaper[0].name
  target_id = "wait-and-stop"
  arn       = aws_sfn_state_machine.reaper[0].arn
  role_arn  = aws_iam_role.reaper_start[0].arn
}

resource "aws_sfn_state_machine" "reaper" {
  count = local.reaper ? 1 : 0

  name     = "${local.prefix}-reaper"
  role_arn = aws_iam_role.reaper[0].arn

  definition = jsonencode({
    Comment = "Stops a load test task that outlived its time"
    StartAt = "Wait"
    States = {
      Wait = { Type = "Wait", Seconds = var.load_max_minutes * 60, Next = "Stop" }
      Stop = {
        Type     = "Task"
        Resource = "arn:${local.partition}:states:::aws-sdk:ecs:stopTask"
        Parameters = {
          "Cluster.$" = "$.detail.clusterArn"
          "Task.$"    = "$.detail.taskArn"
          Reason      = "ran for ${var.load_max_minutes} minutes"
        }
        Catch = [{ ErrorEquals = ["States.ALL"], Next = "Gone" }]
        End   = true
      }
      Gone = { Type = "Succeed" }
    }
  })

  depends_on = [aws_iam_role_policy.reaper]
}
