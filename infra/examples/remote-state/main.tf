# A bucket for the state of the other examples, versioned and locked by S3 itself. Apply it once, with its own state on
# disk; then put into an example's main.tf
#
#   terraform {
#     backend "s3" {
#       bucket       = "scalableappbackend-state-ACCOUNT"
#       key          = "seed.tfstate"
#       region       = "us-east-1"
#       use_lockfile = true
#     }
#   }
#
# and run init again. The state has no secrets of this system, but names everything in it.

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
}

data "aws_caller_identity" "current" {}

resource "aws_s3_bucket" "state" {
  bucket = "scalableappbackend-state-${data.aws_caller_identity.current.account_id}"

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_versioning" "state" {
  bucket = aws_s3_bucket.state.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_public_access_block" "state" {
  bucket                  = aws_s3_bucket.state.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "state" {
  bucket = aws_s3_bucket.state.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

output "bucket" {
  description = "Bucket for the backend."
  value       = aws_s3_bucket.state.bucket
}
