# AWS's services inside the VPC, so that the private subnets need no way out.

locals {
  own_endpoints = local.own_vpc ? true : var.existing_vpc.endpoints == null

  interface_endpoints = local.own_endpoints ? toset(concat(
    ["ecr.api", "ecr.dkr", "logs"],
    var.publish_metrics ? ["monitoring"] : [],
    var.tracing != null ? ["xray"] : [],
    var.watch_in_task ? ["ecs", "elasticloadbalancing", "application-autoscaling"] : [],
  )) : []

  endpoint_zones = slice(var.availability_zones, 0, coalesce(var.endpoint_zones, length(var.availability_zones)))

  # An experiment that cuts off the private subnets of a zone must not take the endpoints with them, which serve the
  # other zones too.
  endpoint_subnets = [for z in local.endpoint_zones : try(var.chaos.zone, null) == null ? local.private_subnets[z] : local.public_subnets[z]]

  endpoint_security_group = local.own_endpoints ? one(aws_security_group.endpoints[*].id) : var.existing_vpc.endpoints.security_group_id
  s3_prefix_list          = local.own_endpoints ? one(aws_vpc_endpoint.s3[*].prefix_list_id) : var.existing_vpc.endpoints.s3_prefix_list_id
}

resource "aws_vpc_endpoint" "interface" {
  for_each = local.interface_endpoints

  vpc_id              = local.vpc_id
  service_name        = "com.amazonaws.${local.region}.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = local.endpoint_subnets
  security_group_ids  = [aws_security_group.endpoints[0].id]

  tags = { Name = "${local.prefix}-${each.key}" }
}

# Image layers come from a bucket of AWS's, results go to ours; nothing else passes.
resource "aws_vpc_endpoint" "s3" {
  count = local.own_endpoints ? 1 : 0

  vpc_id            = local.vpc_id
  service_name      = "com.amazonaws.${local.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = concat(local.public_route_tables, local.private_route_tables)

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      jsondecode(templatefile("${local.policies}/s3-endpoint-layers.json.tftpl", local.who)).Statement,
      var.results_bucket ? jsondecode(templatefile("${local.policies}/s3-endpoint-results.json.tftpl", merge(local.who, {
        bucket_arn = aws_s3_bucket.results[0].arn
      }))).Statement : [],
    )
  })

  tags = { Name = "${local.prefix}-s3" }
}

# In the drawing, free, and used by nothing: open to this account's own tables alone.
resource "aws_vpc_endpoint" "dynamodb" {
  count = local.own_endpoints ? 1 : 0

  vpc_id            = local.vpc_id
  service_name      = "com.amazonaws.${local.region}.dynamodb"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = local.private_route_tables
  policy            = templatefile("${local.policies}/dynamodb-endpoint.json.tftpl", local.who)

  tags = { Name = "${local.prefix}-dynamodb" }
}
