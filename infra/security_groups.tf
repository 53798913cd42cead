# Who may open a connection to whom. Rules are resources of their own, so that two groups can name each other.

locals {
  own_alb            = var.existing_alb == null
  alb_security_group = local.own_alb ? one(aws_security_group.alb[*].id) : var.existing_alb.security_group_id

  internal = var.load_path == "internal"
  https    = var.certificate_arn != null

  # The listener's ports; with HTTPS 80 stays and redirects.
  edge_ports = local.own_alb ? toset(local.https ? ["80", "443"] : ["80"]) : toset([tostring(var.existing_alb.listener_port)])
}

resource "aws_security_group" "alb" {
  count = local.own_alb ? 1 : 0

  name        = "${local.prefix}-alb"
  description = "Load balancer: HTTP in, to the API out"
  vpc_id      = local.vpc_id
  tags        = { Name = "${local.prefix}-alb" }
}

resource "aws_security_group" "ecs" {
  name        = "${local.prefix}-ecs"
  description = "API tasks: from the load balancer in, to VPC endpoints out"
  vpc_id      = local.vpc_id
  tags        = { Name = "${local.prefix}-ecs" }
}

resource "aws_security_group" "load" {
  name        = "${local.prefix}-load"
  description = "Load test tasks: to the load balancer and VPC endpoints out"
  vpc_id      = local.vpc_id
  tags        = { Name = "${local.prefix}-load" }
}

resource "aws_security_group" "endpoints" {
  count = local.own_endpoints ? 1 : 0

  name        = "${local.prefix}-endpoints"
  description = "VPC endpoints: HTTPS from the API and the load test in"
  vpc_id      = local.vpc_id
  tags        = { Name = "${local.prefix}-endpoints" }
}

# --- the load balancer

resource "aws_vpc_security_group_ingress_rule" "alb_clients" {
  for_each = local.own_alb && !local.internal ? local.edge_ports : []

  security_group_id = local.alb_security_group
  description       = "clients, from everywhere"
  ip_protocol       = "tcp"
  from_port         = tonumber(each.key)
  to_port           = tonumber(each.key)
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_vpc_security_group_ingress_rule" "alb_load" {
  for_each = local.internal ? local.edge_ports : []

  security_group_id            = local.alb_security_group
  description                  = "load test"
  ip_protocol                  = "tcp"
  from_port                    = tonumber(each.key)
  to_port                      = tonumber(each.key)
  referenced_security_group_id = aws_security_group.load.id
}

resource "aws_vpc_security_group_egress_rule" "alb_ecs" {
  security_group_id            = local.alb_security_group
  description                  = "requests and health checks"
  ip_protocol                  = "tcp"
  from_port                    = var.container_port
  to_port                      = var.container_port
  referenced_security_group_id = aws_security_group.ecs.id
}

# --- the API

resource "aws_vpc_security_group_ingress_rule" "ecs_alb" {
  security_group_id            = aws_security_group.ecs.id
  description                  = "requests and health checks"
  ip_protocol                  = "tcp"
  from_port                    = var.container_port
  to_port                      = var.container_port
  referenced_security_group_id = local.alb_security_group
}

resource "aws_vpc_security_group_egress_rule" "ecs_endpoints" {
  security_group_id            = aws_security_group.ecs.id
  description                  = "AWS services"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = local.endpoint_security_group
}

resource "aws_vpc_security_group_egress_rule" "ecs_s3" {
  security_group_id = aws_security_group.ecs.id
  description       = "image layers"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  prefix_list_id    = local.s3_prefix_list
}

# --- the load test

# A rule that names a group matches private addresses only, and an internet-facing load balancer is reached at its
# public ones, which change. So this is open where the load balancer is not internal.
resource "aws_vpc_security_group_egress_rule" "load_alb_public" {
  for_each = local.internal ? [] : local.edge_ports

  security_group_id = aws_security_group.load.id
  description       = "load balancer, at its public addresses"
  ip_protocol       = "tcp"
  from_port         = tonumber(each.key)
  to_port           = tonumber(each.key)
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_vpc_security_group_egress_rule" "load_alb_internal" {
  for_each = local.internal ? local.edge_ports : []

  security_group_id            = aws_security_group.load.id
  description                  = "load balancer"
  ip_protocol                  = "tcp"
  from_port                    = tonumber(each.key)
  to_port                      = tonumber(each.key)
  referenced_security_group_id = local.alb_security_group
}

resource "aws_vpc_security_group_egress_rule" "load_endpoints" {
  security_group_id            = aws_security_group.load.id
  description                  = "AWS services"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = local.endpoint_security_group
}

resource "aws_vpc_security_group_egress_rule" "load_s3" {
  security_group_id = aws_security_group.load.id
  description       = "image layers and results"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  prefix_list_id    = local.s3_prefix_list
}

# --- the endpoints

resource "aws_vpc_security_group_ingress_rule" "endpoints" {
  for_each = {
    ecs  = aws_security_group.ecs.id
    load = aws_security_group.load.id
  }

  security_group_id            = local.endpoint_security_group
  description                  = each.key
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = each.value
}
