# What can be added to the seed's system, or taken from what is there already. Null or false is off; prices are those of
# us-east-1, a month of 730 hours.

# --- what exists already

variable "existing_vpc" {
  description = "A VPC that is there, instead of one of our own. Subnets are given by zone. With `endpoints` it has the interface and S3 endpoints already, else they are made in it. For load_path nat it must have the gateway."
  type = object({
    id                      = string
    public_subnet_ids       = map(string)
    private_subnet_ids      = map(string)
    private_subnet_cidrs    = optional(list(string), [])
    public_route_table_ids  = optional(list(string), [])
    private_route_table_ids = list(string)
    endpoints = optional(object({
      security_group_id = string
      s3_prefix_list_id = string
    }))
  })
  default = null

  validation {
    condition     = var.existing_vpc == null ? true : alltrue([for z in var.availability_zones : contains(keys(var.existing_vpc.public_subnet_ids), z) && contains(keys(var.existing_vpc.private_subnet_ids), z)])
    error_message = "existing_vpc: want a public and a private subnet for each of availability_zones."
  }
}

variable "existing_alb" {
  description = "A load balancer that is there, instead of one of our own ($22 a month less): our target group hangs on a rule of `listener_arn`. Its name and certificate are its own."
  type = object({
    arn                    = string
    arn_suffix             = string
    url                    = string
    internal               = optional(bool, false)
    security_group_id      = string
    listener_arn           = string
    listener_port          = optional(number, 80)
    listener_rule_priority = optional(number, 100)
    host_headers           = optional(list(string), [])
  })
  default = null

  validation {
    condition     = var.existing_alb == null ? true : var.certificate_arn == null && !var.access_logs && !var.health_check_logs && var.waf == null && var.hosted_zone_id == null
    error_message = "existing_alb: certificate_arn, hosted_zone_id, access_logs, health_check_logs and waf belong to whoever owns that load balancer; leave them out."
  }
  validation {
    condition     = var.existing_alb == null ? true : var.existing_vpc != null
    error_message = "existing_alb: want existing_vpc beside it; a load balancer reaches targets in its own VPC."
  }
  validation {
    condition     = var.existing_alb == null ? true : var.existing_alb.internal == (var.load_path == "internal")
    error_message = "existing_alb: an internal load balancer wants load_path internal, and an internet-facing one public or nat."
  }
}

variable "existing_cluster" {
  description = "An ECS cluster that is there, with the capacity provider FARGATE (and FARGATE_SPOT for spot_percent)."
  type = object({
    arn  = string
    name = string
  })
  default = null
}

# --- edge

variable "certificate_arn" {
  description = "ACM certificate: HTTPS on 443, and 80 redirects to it. Wants domain_name. Free."
  type        = string
  default     = null

  validation {
    condition     = (var.certificate_arn == null) == (var.domain_name == null)
    error_message = "certificate_arn and domain_name: want both or neither; LOADGEN_HOST must have a name that the certificate is for."
  }
}

variable "domain_name" {
  description = "Name in the certificate that points at the load balancer, e.g. api.example.com."
  type        = string
  default     = null
}

variable "hosted_zone_id" {
  description = "Route 53 zone in which domain_name is made an alias of the load balancer. Null: the name is somebody else's work."
  type        = string
  default     = null

  validation {
    condition     = var.hosted_zone_id == null ? true : var.domain_name != null
    error_message = "hosted_zone_id: want domain_name beside it."
  }
}

variable "access_logs" {
  description = "The load balancer's access logs to S3 (SSE-S3; KMS is refused there). Storage only."
  type        = bool
  default     = false
  nullable    = false
}

variable "health_check_logs" {
  description = "The load balancer's health checks to S3: which target was unhealthy when, after the fact. Storage only."
  type        = bool
  default     = false
  nullable    = false
}

variable "waf" {
  description = "Web ACL before the load balancer: managed rule groups and a rate rule, from which the load generator is exempt ($9 and $0.60 a million requests). Wants load_path nat or internal, where the generator's address is known. With existing_vpc say exempt_cidrs."
  type = object({
    rate_limit   = optional(number, 2000)
    exempt_cidrs = optional(list(string))
    count_only   = optional(bool, false)
  })
  default = null

  validation {
    condition     = var.waf == null ? true : var.load_path != "public"
    error_message = "waf: want load_path nat or internal; with public a load task has another address each time, and the rate rule (375 requests/s are 112,500 in its 5 minutes) blocks the test."
  }
  validation {
    condition     = var.waf == null ? true : var.waf.rate_limit >= 10 && var.waf.rate_limit <= 2000000000
    error_message = "waf.rate_limit: want 10 to 2000000000 requests in 5 minutes from one address."
  }
  validation {
    condition     = var.waf == null ? true : var.existing_vpc == null || try(length(var.waf.exempt_cidrs) > 0, false)
    error_message = "waf: with existing_vpc want exempt_cidrs, the addresses that the load generator comes from."
  }
}

# --- compute

variable "spot_percent" {
  description = "Share of API tasks above min_capacity on Fargate Spot, in percent, up to 70 % cheaper; an interruption drops requests. The load task is never on Spot, where an interruption voids the run."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.spot_percent >= 0 && var.spot_percent <= 100 && floor(var.spot_percent) == var.spot_percent
    error_message = "spot_percent: want a whole number from 0 to 100."
  }
}

variable "deployment" {
  description = "How a new version comes: ROLLING (with circuit breaker), CANARY or BLUE_GREEN (ECS's own: a second target group, traffic through a listener rule, twice the tasks while it lasts). The header `test_header` set to the prefix reaches the new version before anybody else does."
  type = object({
    strategy            = optional(string, "ROLLING")
    canary_percent      = optional(number, 10)
    canary_bake_minutes = optional(number, 5)
    bake_minutes        = optional(number, 10)
    test_header         = optional(string, "X-Loadgen-Test")
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["ROLLING", "CANARY", "BLUE_GREEN"], var.deployment.strategy)
    error_message = "deployment.strategy: want ROLLING, CANARY or BLUE_GREEN."
  }
  validation {
    condition     = var.deployment.canary_percent >= 0.1 && var.deployment.canary_percent <= 99.9
    error_message = "deployment.canary_percent: want 0.1 to 99.9."
  }
  validation {
    condition     = var.deployment.bake_minutes >= 0 && var.deployment.bake_minutes <= 1440 && var.deployment.canary_bake_minutes >= 0 && var.deployment.canary_bake_minutes <= 1440
    error_message = "deployment: want bake times of 0 to 1440 minutes."
  }
  validation {
    condition     = var.deployment.strategy == "ROLLING" || var.existing_alb == null
    error_message = "deployment.strategy: CANARY and BLUE_GREEN want a load balancer of our own; ECS moves the weights of its listener rules."
  }
}

variable "rollback_error_count" {
  description = "A deployment is rolled back when so many answers in a minute were 5xx, two minutes of three ($0.10 for the alarm)."
  type        = number
  default     = 50
  nullable    = false

  validation {
    condition     = var.rollback_error_count >= 1
    error_message = "rollback_error_count: want at least 1."
  }
}

variable "container_insights" {
  description = "disabled, enabled or enhanced: task counts as metrics, about $3 to $10 a month for this service."
  type        = string
  default     = "disabled"
  nullable    = false

  validation {
    condition     = contains(["disabled", "enabled", "enhanced"], var.container_insights)
    error_message = "container_insights: want disabled, enabled or enhanced."
  }
  validation {
    condition     = var.container_insights == "disabled" || var.existing_cluster == null
    error_message = "container_insights: it is a setting of existing_cluster; leave it disabled here."
  }
}

# --- scaling

variable "latency_scaling" {
  description = <<-TEXT
    Scale out, in steps and never in, when p99 stays above `p99_ms` while at least `min_requests` a minute come ($0.10 for the alarm).
    `source` alb reads the load balancer's TargetResponseTime, loadgen our own corrected Latency (wants publish_metrics).
    Not target tracking: latency is not proportional to capacity, so a multiple of the target says nothing about how many tasks are missing, and below saturation more tasks do not lower it.
    Not in: a quiet service is fast with any number of tasks. Target tracking on requests stays beneath and brings capacity back.
  TEXT
  type = object({
    p99_ms       = number
    min_requests = optional(number, 100)
    source       = optional(string, "alb")
  })
  default = null

  validation {
    condition     = var.latency_scaling == null ? true : contains(["alb", "loadgen"], var.latency_scaling.source)
    error_message = "latency_scaling.source: want alb or loadgen."
  }
  validation {
    condition     = var.latency_scaling == null ? true : var.latency_scaling.p99_ms > 0 && var.latency_scaling.min_requests >= 1
    error_message = "latency_scaling: want p99_ms above 0 and min_requests of at least 1 a minute."
  }
  validation {
    condition     = var.latency_scaling == null ? true : var.latency_scaling.source == "alb" || var.publish_metrics
    error_message = "latency_scaling.source: loadgen wants publish_metrics."
  }
}

variable "scheduled_scaling" {
  description = "Bounds that change by the clock, by name: `schedule` is cron(…), rate(…) or at(…). Free."
  type = map(object({
    schedule     = string
    min_capacity = number
    max_capacity = number
    timezone     = optional(string, "UTC")
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for s in values(var.scheduled_scaling) : can(regex("^(cron|rate|at)\\(.+\\)$", s.schedule))])
    error_message = "scheduled_scaling: want a schedule of the form cron(0 8 * * ? *), rate(1 day) or at(2027-01-31T08:00:00)."
  }
  validation {
    condition     = alltrue([for s in values(var.scheduled_scaling) : s.min_capacity >= 1 && s.min_capacity <= s.max_capacity])
    error_message = "scheduled_scaling: want min_capacity of at least 1 and at most max_capacity."
  }
}

# --- observability

variable "publish_metrics" {
  description = "The load task publishes CloudWatch metrics (LoadGen): the interface endpoint monitoring ($7.30 a zone), $0.30 for each metric of a run's month."
  type        = bool
  default     = true
  nullable    = false
}

variable "watch_in_task" {
  description = "The load task itself records what the autoscaler did: endpoints for ecs, elasticloadbalancing and application-autoscaling ($44 in two zones). Without it whoever launches the run watches, for nothing."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !var.watch_in_task || var.publish_metrics
    error_message = "watch_in_task: want publish_metrics; alarms and metrics are read through the same endpoint."
  }
}

variable "results_bucket" {
  description = "S3 bucket for results, private and encrypted; several load tasks merge through it. Storage only."
  type        = bool
  default     = true
  nullable    = false
}

variable "results_days" {
  description = "Days that results stay."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = var.results_days >= 1
    error_message = "results_days: want at least 1."
  }
}

variable "event_log" {
  description = "ECS service, deployment and task events into a log group. Scaling activities are not among them; the watch log has those. Practically free."
  type        = bool
  default     = false
  nullable    = false
}

variable "dashboards" {
  description = "Two CloudWatch dashboards, experiment and API ($3 each above an account's first three)."
  type        = bool
  default     = false
  nullable    = false
}

variable "tracing" {
  description = "An OpenTelemetry collector beside the API and the load generator that sends traces to X-Ray: its image (which `push` mirrors to a repository of ours by digest), the endpoint xray ($7.30 a zone), $5 a million traces."
  type = object({
    collector_image  = optional(string)
    collector_source = optional(string, "public.ecr.aws/aws-observability/aws-otel-collector:v0.43.3")
  })
  default = null
}

variable "encryption_key" {
  description = "A KMS key of our own for logs, results and images ($1 and $0.03 for 10,000 requests) instead of AWS's."
  type        = bool
  default     = false
  nullable    = false
}

variable "budget" {
  description = "Mail when the month's cost of what carries our tag Project passes 80 % of limit_usd, or is forecast to pass it. The tag must be activated for cost allocation. Free."
  type = object({
    limit_usd = number
    emails    = list(string)
  })
  default = null

  validation {
    condition     = var.budget == null ? true : var.budget.limit_usd > 0 && length(var.budget.emails) >= 1 && length(var.budget.emails) <= 10
    error_message = "budget: want limit_usd above 0 and 1 to 10 emails."
  }
}

# --- chaos and delivery

variable "chaos" {
  description = "FIS experiments: stop some tasks, lose the API's subnets of one zone. `abort_error_percent` of 5xx answers, two minutes long, ends an experiment ($0.10 for the alarm; $0.10 a minute and action while one runs)."
  type = object({
    stop_percent        = optional(number, 50)
    zone                = optional(string)
    zone_minutes        = optional(number, 10)
    abort_error_percent = optional(number, 50)
  })
  default = null

  validation {
    condition     = var.chaos == null ? true : var.chaos.stop_percent >= 1 && var.chaos.stop_percent <= 100 && var.chaos.abort_error_percent > 0 && var.chaos.abort_error_percent <= 100
    error_message = "chaos: want stop_percent of 1 to 100 and abort_error_percent above 0 and at most 100."
  }
  validation {
    condition     = try(var.chaos.zone, null) == null ? true : contains(var.availability_zones, var.chaos.zone)
    error_message = "chaos.zone: want one of availability_zones."
  }
  validation {
    condition     = var.chaos == null ? true : var.chaos.zone_minutes >= 1 && var.chaos.zone_minutes <= 720
    error_message = "chaos.zone_minutes: want 1 to 720."
  }
}

variable "github" {
  description = "Roles for GitHub Actions without stored keys, for the repository OWNER/NAME: plan (pull requests, reads), push (the branch, images), apply (an environment, changes). Free. An account has one provider for GitHub: give its ARN when it is there."
  type = object({
    repository   = string
    branch       = optional(string, "main")
    environment  = optional(string, "production")
    provider_arn = optional(string)
    state_bucket = optional(string)
  })
  default = null

  validation {
    condition     = var.github == null ? true : can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.github.repository))
    error_message = "github.repository: want OWNER/NAME, without patterns; a * there would trust strangers."
  }
  validation {
    condition     = var.github == null ? true : can(regex("^[A-Za-z0-9._/-]+$", var.github.branch)) && can(regex("^[A-Za-z0-9._-]+$", var.github.environment))
    error_message = "github.branch and github.environment: want one name each, without patterns."
  }
}
