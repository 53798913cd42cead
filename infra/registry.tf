# Where images come from: one repository for the API, one for the load generator.

locals {
  repositories = toset(concat(["app", "loadgen"], var.tracing != null ? ["collector"] : []))
}

resource "aws_ecr_repository" "main" {
  for_each = local.repositories

  name         = "${local.prefix}-${each.key}"
  force_delete = var.force_delete

  # A commit's tag stays what it was; the seed's moving tag is dev.
  image_tag_mutability = "IMMUTABLE_WITH_EXCLUSION"

  image_tag_mutability_exclusion_filter {
    filter      = "dev"
    filter_type = "WILDCARD"
  }

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = var.encryption_key ? "KMS" : "AES256"
    kms_key         = var.encryption_key ? aws_kms_key.main[0].arn : null
  }
}

resource "aws_ecr_lifecycle_policy" "main" {
  for_each = aws_ecr_repository.main

  repository = each.value.name
  policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        description  = "what no tag names any more, after a week"
        selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 7 }
        action       = { type = "expire" }
      },
      {
        rulePriority = 2
        description  = "the last 30"
        selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 30 }
        action       = { type = "expire" }
      },
    ]
  })
}
