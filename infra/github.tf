# Roles for GitHub Actions, by OIDC: plan reads, push brings images, apply changes. Each trusts one subject.

locals {
  github_provider_arn = var.github == null ? null : coalesce(var.github.provider_arn, one(aws_iam_openid_connect_provider.github[*].arn))

  github_subjects = var.github == null ? {} : {
    plan  = "repo:${var.github.repository}:pull_request"
    push  = "repo:${var.github.repository}:ref:refs/heads/${var.github.branch}"
    apply = "repo:${var.github.repository}:environment:${var.github.environment}"
  }

  github_inline = var.github == null ? {} : merge(
    {
      plan = { role = "plan", policy = templatefile("${local.policies}/github-plan.json.tftpl", local.who) }
      push = { role = "push", policy = templatefile("${local.policies}/github-push.json.tftpl", merge(local.who, {
        app_repository_arn     = aws_ecr_repository.main["app"].arn
        loadgen_repository_arn = aws_ecr_repository.main["loadgen"].arn
      })) }
      apply = { role = "apply", policy = templatefile("${local.policies}/github-apply.json.tftpl", local.who) }
    },
    var.github.state_bucket != null ? {
      plan-state = { role = "plan", policy = templatefile("${local.policies}/github-plan-state.json.tftpl", merge(local.who, { bucket = var.github.state_bucket })) }
    } : {},
  )
}

resource "aws_iam_openid_connect_provider" "github" {
  count = var.github == null ? 0 : var.github.provider_arn == null ? 1 : 0

  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

resource "aws_iam_role" "github" {
  for_each = local.github_subjects

  name                 = "${local.prefix}-github-${each.key}"
  description          = "GitHub Actions, ${each.value}"
  max_session_duration = 3600
  assume_role_policy = templatefile("${local.policies}/trust-github.json.tftpl", merge(local.who, {
    provider_arn = local.github_provider_arn
    subject      = each.value
  }))
}

resource "aws_iam_role_policy" "github" {
  for_each = local.github_inline

  name   = each.key
  role   = aws_iam_role.github[each.value.role].name
  policy = each.value.policy
}

# AWS's own: reads everything; changes everything but IAM. What apply needs of IAM is in its inline policy, by name.
resource "aws_iam_role_policy_attachment" "github" {
  for_each = var.github == null ? {} : { plan = "ReadOnlyAccess", apply = "PowerUserAccess" }

  role       = aws_iam_role.github[each.key].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/${each.value}"
}
