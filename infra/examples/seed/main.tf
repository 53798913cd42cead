# The seed's system: its boxes, names and numbers, and the listed additions; every switch is off. About $106 a month.

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
      Environment = "dev"
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

  app_image     = var.app_image
  loadgen_image = var.loadgen_image

  # All else is the module's default, which is the seed's: 2 to 6 tasks of 256/512 behind scalableappbackend-dev-alb in
  # us-east-1a and us-east-1b, 50 requests per target and minute, 50 % CPU, 50 users at 5 a second for 3 minutes.

  # An experiment is taken down whole.
  force_delete = true
}
