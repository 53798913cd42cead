# Names, images and sizes. Switches that add to the seed's system are in variables_switches.tf.

variable "project" {
  description = "First part of every name."
  type        = string
  default     = "scalableappbackend"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]*[a-z0-9])?$", var.project))
    error_message = "project: want lower-case letters, digits and single hyphens inside, beginning with a letter."
  }
  validation {
    condition     = length(var.project) + length(var.environment) <= 27
    error_message = "project and environment: want at most 27 characters together; names of load balancers and target groups end at 32, and the longest of ours is PROJECT-ENVIRONMENT-tg2."
  }
}

variable "environment" {
  description = "Second part of every name."
  type        = string
  default     = "dev"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", var.environment))
    error_message = "environment: want lower-case letters, digits and hyphens inside."
  }
}

variable "app_image" {
  description = "Image of the API, best with its digest. Null until one was pushed: then task definition, service and scaling are left out."
  type        = string
  default     = null
}

variable "loadgen_image" {
  description = "Image of the load generator, best with its digest. Null until one was pushed: then its task definition is left out."
  type        = string
  default     = null
}

variable "cpu_architecture" {
  description = "X86_64, or ARM64 (20 % cheaper); what `up` builds images for."
  type        = string
  default     = "X86_64"
  nullable    = false

  validation {
    condition     = contains(["X86_64", "ARM64"], var.cpu_architecture)
    error_message = "cpu_architecture: want X86_64 or ARM64."
  }
}

# --- network

variable "vpc_cidr" {
  description = "Addresses of the VPC."
  type        = string
  default     = "10.0.0.0/16"
  nullable    = false

  validation {
    condition     = can(cidrhost(var.vpc_cidr, 0)) && try(tonumber(split("/", var.vpc_cidr)[1]), 0) >= 16 && try(tonumber(split("/", var.vpc_cidr)[1]), 99) <= 20
    error_message = "vpc_cidr: want an IPv4 range between /16 and /20; subnets are 256 times smaller, and AWS takes none below /28."
  }
}

variable "availability_zones" {
  description = "Zones of the subnets; a load balancer wants at least two."
  type        = list(string)
  default     = ["us-east-1a", "us-east-1b"]
  nullable    = false

  validation {
    condition     = length(var.availability_zones) >= 2 && length(var.availability_zones) <= 6 && length(distinct(var.availability_zones)) == length(var.availability_zones)
    error_message = "availability_zones: want 2 to 6 different zones."
  }
}

variable "load_path" {
  description = "How the load task reaches the load balancer: public (in a public subnet, with an address of its own), nat (private subnet, through a NAT gateway, $37 a month) or internal (the load balancer itself is internal)."
  type        = string
  default     = "public"
  nullable    = false

  validation {
    condition     = contains(["public", "nat", "internal"], var.load_path)
    error_message = "load_path: want public, nat or internal."
  }
}

variable "endpoint_zones" {
  description = "In how many zones each interface endpoint stands, at $7.30 a month each. Null is all; 1 is cheaper, and a zone's loss may then stop image pulls and logs."
  type        = number
  default     = null

  validation {
    condition     = var.endpoint_zones == null ? true : var.endpoint_zones >= 1 && var.endpoint_zones <= length(var.availability_zones) && floor(var.endpoint_zones) == var.endpoint_zones
    error_message = "endpoint_zones: want 1 up to the number of availability_zones."
  }
}

# --- the API

variable "container_port" {
  description = "Port of the API's container and of the target group. Below 1024 the task lowers net.ipv4.ip_unprivileged_port_start, because the container is not root; 8080 needs nothing."
  type        = number
  default     = 80
  nullable    = false

  validation {
    condition     = var.container_port >= 1 && var.container_port <= 65535 && floor(var.container_port) == var.container_port
    error_message = "container_port: want 1 to 65535."
  }
}

variable "app_cpu" {
  description = "CPU units of an API task; 1024 are one vCPU."
  type        = number
  default     = 256
  nullable    = false

  validation {
    condition     = contains(keys(local.fargate_memory), tostring(var.app_cpu))
    error_message = "app_cpu: want 256, 512, 1024, 2048, 4096, 8192 or 16384."
  }
}

variable "app_memory" {
  description = "MiB of an API task."
  type        = number
  default     = 512
  nullable    = false

  validation {
    condition     = contains(lookup(local.fargate_memory, tostring(var.app_cpu), []), var.app_memory)
    error_message = "app_memory: Fargate has no such size for this app_cpu (256: 512, 1024, 2048; 512: 1024 to 4096; 1024: 2048 to 8192; 2048: 4096 to 16384; 4096: 8192 to 30720, by 1024)."
  }
}

variable "min_capacity" {
  description = "Fewest API tasks."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = var.min_capacity >= 1 && floor(var.min_capacity) == var.min_capacity
    error_message = "min_capacity: want a whole number of at least 1; with 0 tasks there is no metric to scale out on."
  }
}

variable "max_capacity" {
  description = "Most API tasks."
  type        = number
  default     = 6
  nullable    = false

  validation {
    condition     = var.max_capacity >= var.min_capacity && var.max_capacity <= 5000 && floor(var.max_capacity) == var.max_capacity
    error_message = "max_capacity: want a whole number from min_capacity to 5000."
  }
}

variable "requests_target" {
  description = "Requests per task and minute that the first policy keeps. The seed's 50 are 0.83 a second: any load reaches max_capacity."
  type        = number
  default     = 50
  nullable    = false

  validation {
    condition     = var.requests_target > 0
    error_message = "requests_target: want more than 0 requests per task and minute."
  }
}

variable "cpu_target" {
  description = "Percent of CPU that the second policy keeps."
  type        = number
  default     = 50
  nullable    = false

  validation {
    condition     = var.cpu_target > 0 && var.cpu_target <= 100
    error_message = "cpu_target: want more than 0 and at most 100 percent."
  }
}

variable "latency_objective_ms" {
  description = "p99 in ms that the service is to keep: a line on the dashboards, and no more."
  type        = number
  default     = 200
  nullable    = false

  validation {
    condition     = var.latency_objective_ms > 0
    error_message = "latency_objective_ms: want more than 0."
  }
}

variable "scale_out_cooldown" {
  description = "Seconds after a scale-out before the next of the same size. AWS's default is 300."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.scale_out_cooldown >= 0 && var.scale_out_cooldown <= 3600
    error_message = "scale_out_cooldown: want 0 to 3600 seconds."
  }
}

variable "scale_in_cooldown" {
  description = "Seconds after a scale-in before the next. AWS's default is 300; with it a recovery takes an hour."
  type        = number
  default     = 120
  nullable    = false

  validation {
    condition     = var.scale_in_cooldown >= 0 && var.scale_in_cooldown <= 3600
    error_message = "scale_in_cooldown: want 0 to 3600 seconds."
  }
}

variable "deregistration_delay" {
  description = "Seconds that a target may finish what it has. AWS's default is 300."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.deregistration_delay >= 0 && var.deregistration_delay <= 3600
    error_message = "deregistration_delay: want 0 to 3600 seconds."
  }
}

variable "health_check_interval" {
  description = "Seconds between health checks of a target."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.health_check_interval >= 5 && var.health_check_interval <= 300
    error_message = "health_check_interval: want 5 to 300 seconds."
  }
}

variable "health_check_threshold" {
  description = "Checks in a row that make a target healthy, or unhealthy."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = var.health_check_threshold >= 2 && var.health_check_threshold <= 10
    error_message = "health_check_threshold: want 2 to 10."
  }
}

variable "drain_delay" {
  description = "SERVER_DRAIN_DELAY in seconds: after SIGTERM /health answers 503 and serving goes on for this long."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = var.drain_delay >= 0
    error_message = "drain_delay: want 0 or more seconds."
  }
}

variable "shutdown_grace" {
  description = "SERVER_SHUTDOWN_GRACE in seconds: then requests in flight have this long to finish."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition     = var.shutdown_grace >= 0
    error_message = "shutdown_grace: want 0 or more seconds."
  }
}

variable "app_stop_timeout" {
  description = "Seconds from SIGTERM to SIGKILL for the API."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.app_stop_timeout >= 2 && var.app_stop_timeout <= 120
    error_message = "app_stop_timeout: Fargate takes 2 to 120 seconds."
  }
  validation {
    condition     = var.app_stop_timeout > var.drain_delay + var.shutdown_grace
    error_message = "app_stop_timeout: want more than drain_delay and shutdown_grace together, or a task is killed while it drains."
  }
}

# --- the load test

variable "load_cpu" {
  description = "CPU units of a load task."
  type        = number
  default     = 1024
  nullable    = false

  validation {
    condition     = contains(keys(local.fargate_memory), tostring(var.load_cpu))
    error_message = "load_cpu: want 256, 512, 1024, 2048, 4096, 8192 or 16384."
  }
}

variable "load_memory" {
  description = "MiB of a load task."
  type        = number
  default     = 2048
  nullable    = false

  validation {
    condition     = contains(lookup(local.fargate_memory, tostring(var.load_cpu), []), var.load_memory)
    error_message = "load_memory: Fargate has no such size for this load_cpu (256: 512, 1024, 2048; 512: 1024 to 4096; 1024: 2048 to 8192; 2048: 4096 to 16384; 4096: 8192 to 30720, by 1024)."
  }
}

variable "load_users" {
  description = "LOADGEN_USERS: concurrent users."
  type        = number
  default     = 50
  nullable    = false

  validation {
    condition     = var.load_users >= 1 && floor(var.load_users) == var.load_users
    error_message = "load_users: want a whole number of at least 1."
  }
}

variable "load_spawn_rate" {
  description = "LOADGEN_SPAWN_RATE: users started a second."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = var.load_spawn_rate > 0
    error_message = "load_spawn_rate: want more than 0 users a second."
  }
}

variable "load_run_time" {
  description = "LOADGEN_RUN_TIME, from the first user's start."
  type        = string
  default     = "3m"
  nullable    = false

  validation {
    condition     = can(regex("^([0-9]+h)?([0-9]+m)?([0-9]+s)?$", var.load_run_time)) && var.load_run_time != ""
    error_message = "load_run_time: want a duration, e.g. 3m or 1h30m."
  }
}

variable "load_max_minutes" {
  description = "A load task that is still there after so many minutes is stopped (a state machine waits for it, practically free). Null leaves that out."
  type        = number
  default     = 120

  validation {
    condition     = var.load_max_minutes == null ? true : var.load_max_minutes >= 1 && var.load_max_minutes <= 43200
    error_message = "load_max_minutes: want 1 to 43200 (30 days)."
  }
}

# --- what is kept

variable "log_retention_days" {
  description = "Days that log groups keep."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days: CloudWatch takes 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

variable "force_delete" {
  description = "Repositories and buckets are deleted with what is in them. False refuses to destroy them while they are not empty."
  type        = bool
  default     = false
  nullable    = false
}

variable "deletion_protection" {
  description = "The load balancer cannot be deleted; `down` refuses."
  type        = bool
  default     = false
  nullable    = false
}

variable "wait_for_steady_state" {
  description = "Apply returns when the service runs what was applied, not before."
  type        = bool
  default     = true
  nullable    = false
}

variable "zone_rebalancing" {
  description = "ECS moves tasks between zones to keep them even: ENABLED or DISABLED. Off, because a task that moves in the middle of a run looks like scaling."
  type        = string
  default     = "DISABLED"
  nullable    = false

  validation {
    condition     = contains(["ENABLED", "DISABLED"], var.zone_rebalancing)
    error_message = "zone_rebalancing: want ENABLED or DISABLED."
  }
}
