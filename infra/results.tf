# What runs leave: a private, encrypted bucket through which several load tasks merge.

resource "aws_s3_bucket" "results" {
  count = var.results_bucket ? 1 : 0

  # Names of buckets are the world's: the account makes it ours.
  bucket        = "${local.prefix}-results-${local.account_id}"
  force_destroy = var.force_delete
}

resource "aws_s3_bucket_public_access_block" "results" {
  count = var.results_bucket ? 1 : 0

  bucket                  = aws_s3_bucket.results[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "results" {
  count = var.results_bucket ? 1 : 0

  bucket = aws_s3_bucket.results[0].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "results" {
  count = var.results_bucket ? 1 : 0

  bucket = aws_s3_bucket.results[0].id

  rule {
    bucket_key_enabled = var.encryption_key

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.encryption_key ? "aws:kms" : "AES256"
      kms_master_key_id = local.key_arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "results" {
  count = var.results_bucket ? 1 : 0

  bucket = aws_s3_bucket.results[0].id

  rule {
    id     = "expire"
    status = "Enabled"

    filter {}

    expiration {
      days = var.results_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

resource "aws_s3_bucket_policy" "results" {
  count = var.results_bucket ? 1 : 0

  bucket = aws_s3_bucket.results[0].id
  policy = templatefile("${local.policies}/results-bucket.json.tftpl", merge(local.who, {
    bucket_arn = aws_s3_bucket.results[0].arn
  }))

  depends_on = [aws_s3_bucket_public_access_block.results]
}

# --- a key of our own

locals {
  key_arn = one(aws_kms_key.main[*].arn)
}

# Its policy stands in it, so that whoever uses the key waits for the policy too.
resource "aws_kms_key" "main" {
  count = var.encryption_key ? 1 : 0

  description             = "${local.prefix}: logs, results, images"
  enable_key_rotation     = true
  deletion_window_in_days = 7
  policy                  = templatefile("${local.policies}/key.json.tftpl", local.who)
}

resource "aws_kms_alias" "main" {
  count = var.encryption_key ? 1 : 0

  name          = "alias/${local.prefix}"
  target_key_id = aws_kms_key.main[0].key_id
}
