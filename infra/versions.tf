terraform {
  # 1.9: a variable's validation may look at other variables.
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # 6.47 is what the checks run with; 6.15 broke updates of capacity_provider_strategy.
      version = ">= 6.47, < 7"
    }
  }
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  # Every name begins with it: scalableappbackend-dev.
  prefix = "${var.project}-${var.environment}"

  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  region     = data.aws_region.current.region
  dns_suffix = data.aws_partition.current.dns_suffix

  policies = "${path.module}/policies"

  # What the policies and the dashboards are filled with; each template takes what it names.
  who = {
    account_id = local.account_id
    partition  = local.partition
    region     = local.region
    dns_suffix = local.dns_suffix
    prefix     = local.prefix
  }
}
