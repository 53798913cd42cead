# A collector beside each container; it takes OTLP on loopback and sends it to X-Ray. Not essential: without it the
# task goes on.

locals {
  collecting    = try(var.tracing.collector_image, null) != null
  collector_url = "http://127.0.0.1:4318"

  collector_containers = local.collecting ? [{
    name                   = "collector"
    image                  = var.tracing.collector_image
    essential              = false
    environment            = [{ name = "AOT_CONFIG_CONTENT", value = file("${path.module}/collector.yaml") }]
    memoryReservation      = 64
    readonlyRootFilesystem = true
    mountPoints            = []
    portMappings           = []
    systemControls         = []
    volumesFrom            = []
    logConfiguration = {
      logDriver = "awslogs"
      options   = merge(local.log_options, { "awslogs-stream-prefix" = "collector" })
    }
  }] : []
}

resource "aws_iam_role_policy" "execution_collector" {
  count = var.tracing != null ? 1 : 0

  name   = "pull-collector"
  role   = aws_iam_role.execution.name
  policy = templatefile("${local.policies}/execution-collector.json.tftpl", merge(local.who, { repository_arn = aws_ecr_repository.main["collector"].arn }))
}

resource "aws_iam_role_policy" "app_tracing" {
  count = var.tracing != null ? 1 : 0

  name   = "traces"
  role   = aws_iam_role.app.name
  policy = local.tracing_policy
}

resource "aws_iam_role_policy" "load_tracing" {
  count = var.tracing != null ? 1 : 0

  name   = "traces"
  role   = aws_iam_role.load.name
  policy = local.tracing_policy
}
