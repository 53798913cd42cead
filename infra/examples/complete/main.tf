# Every switch that can be on together. About $214 a month. It wants a mail address and a repository; with a certificate
# and its name it speaks HTTPS.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.47, < 7"
    }
  }
}

provider "aws" {
  region = "us-east-1"

  default_tags {
    tags = {
      Project     = "scalableappbackend"
      Environment = "full"
      ManagedBy   = "terraform"
    }
  }
}

variable "app_image" {
  description = "Image of the API; null until one was pushed."
  type        = string
  default     = null
}

variable "loadgen_image" {
  description = "Image of the load generator; null until one was pushed."
  type        = string
  default     = null
}

variable "collector_image" {
  description = "Image of the trace collector; null until it was mirrored."
  type        = string
  default     = null
}

variable "email" {
  description = "Who is told about the budget."
  type        = string
}

variable "github_repository" {
  description = "OWNER/NAME whose pipelines may plan, push and apply."
  type        = string
}

variable "certificate_arn" {
  description = "ACM certificate for domain_name; null is HTTP."
  type        = string
  default     = null
}

variable "domain_name" {
  description = "Name that points at the load balancer."
  type        = string
  default     = null
}

module "system" {
  source = "../.."

  environment   = "full"
  app_image     = var.app_image
  loadgen_image = var.loadgen_image

  # Not "internal": clients of the API are on the internet here.
  load_path = "nat"

  certificate_arn = var.certificate_arn
  domain_name     = var.domain_name

  cpu_architecture = "ARM64"
  spot_percent     = 50
  zone_rebalancing = "ENABLED"
  deployment       = { strategy = "CANARY" }

  latency_scaling = { p99_ms = 100, source = "loadgen" }
  scheduled_scaling = {
    morning = { schedule = "cron(0 7 ? * MON-FRI *)", min_capacity = 3, max_capacity = 6 }
    night   = { schedule = "cron(0 22 ? * * *)", min_capacity = 2, max_capacity = 6 }
  }

  container_insights = "enhanced"
  watch_in_task      = true
  event_log          = true
  dashboards         = true
  tracing            = { collector_image = var.collector_image }

  waf               = {}
  access_logs       = true
  health_check_logs = true
  encryption_key    = true
  budget            = { limit_usd = 400, emails = [var.email] }

  chaos  = { zone = "us-east-1b" }
  github = { repository = var.github_repository }

  force_delete = true
}
