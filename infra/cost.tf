# What the system costs at rest, at its fewest tasks: list prices of us-east-1 in November 2026, a month of 730 hours. Without
# data transfer, requests, log volume and what an account has free.

locals {
  hours = 730
  price = {
    vcpu_hour     = var.cpu_architecture == "ARM64" ? 0.03238 : 0.04048
    gb_hour       = var.cpu_architecture == "ARM64" ? 0.00356 : 0.004445
    alb_hour      = 0.0225
    lcu_hour      = 0.008
    endpoint_hour = 0.01
    nat_hour      = 0.045
    ipv4_hour     = 0.005
    alarm         = 0.10
    dashboard     = 3
    key           = 1
    web_acl       = 5
    waf_rule      = 1
  }

  task_hour = var.app_cpu / 1024 * local.price.vcpu_hour + var.app_memory / 1024 * local.price.gb_hour
  load_hour = var.load_cpu / 1024 * local.price.vcpu_hour + var.load_memory / 1024 * local.price.gb_hour

  # Two policies with a High and a Low alarm each, made by AWS.
  alarms = 5 + (var.latency_scaling != null ? 1 : 0) + (var.chaos != null ? 1 : 0)

  cost_items = {
    "API tasks, at their fewest"       = var.min_capacity * local.task_hour * local.hours
    "load balancer with one LCU"       = local.own_alb ? (local.price.alb_hour + local.price.lcu_hour) * local.hours : 0
    "load balancer's public addresses" = local.own_alb && !local.internal ? length(var.availability_zones) * local.price.ipv4_hour * local.hours : 0
    "interface endpoints"              = length(local.interface_endpoints) * length(local.endpoint_zones) * local.price.endpoint_hour * local.hours
    "NAT gateway and its address"      = local.nat ? (local.price.nat_hour + local.price.ipv4_hour) * local.hours : 0
    "alarms"                           = local.alarms * local.price.alarm
    "dashboards"                       = var.dashboards ? 2 * local.price.dashboard : 0
    "web ACL and four rules"           = var.waf != null ? local.price.web_acl + 4 * local.price.waf_rule : 0
    "encryption key"                   = var.encryption_key ? local.price.key : 0
  }

  monthly_cost = { for item, usd in local.cost_items : item => floor(usd * 100 + 0.5) / 100 if usd > 0 }
}
