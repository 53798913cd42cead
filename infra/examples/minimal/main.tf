# The cheapest that works: one ARM task at rest, the three endpoints that a task cannot start without in one zone, and
# no metrics of the load generator's own. About $59 a month.

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
      Environment = "min"
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

module "system" {
  source = "../.."

  environment   = "min"
  app_image     = var.app_image
  loadgen_image = var.loadgen_image

  cpu_architecture = "ARM64"
  endpoint_zones   = 1
  publish_metrics  = false

  # All above one task may be Spot: cheap, and an interruption drops requests.
  min_capacity = 1
  spot_percent = 100

  log_retention_days = 7
  force_delete       = true
}
