# What is refused, each variable by its own validation. One that looks at another which was refused is not
# evaluated, hence several runs. All are mocks.
mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }
  mock_data "aws_region" {
    defaults = { region = "us-east-1" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/mock" }
  }
  mock_resource "aws_lb" {
    defaults = {
      arn        = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/mock/50dc6c495c0c9188"
      arn_suffix = "app/mock/50dc6c495c0c9188"
      dns_name   = "mock.us-east-1.elb.amazonaws.com"
    }
  }
  mock_resource "aws_lb_target_group" {
    defaults = {
      arn        = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/mock/73e2d6bc24d8a067"
      arn_suffix = "targetgroup/mock/73e2d6bc24d8a067"
    }
  }
  mock_resource "aws_lb_listener" {
    defaults = { arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/mock/50dc6c495c0c9188/f2f7dc8efc522ab2" }
  }
  mock_resource "aws_lb_listener_rule" {
    defaults = { arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener-rule/app/mock/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee" }
  }
  mock_resource "aws_ecs_cluster" {
    defaults = { arn = "arn:aws:ecs:us-east-1:123456789012:cluster/mock" }
  }
  mock_resource "aws_ecs_task_definition" {
    defaults = { arn = "arn:aws:ecs:us-east-1:123456789012:task-definition/mock:1" }
  }
  mock_resource "aws_ecr_repository" {
    defaults = { arn = "arn:aws:ecr:us-east-1:123456789012:repository/mock" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:mock" }
  }
  mock_resource "aws_cloudwatch_metric_alarm" {
    defaults = { arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:mock" }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::mock" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab" }
  }
  mock_resource "aws_sfn_state_machine" {
    defaults = { arn = "arn:aws:states:us-east-1:123456789012:stateMachine:mock" }
  }
  mock_resource "aws_wafv2_web_acl" {
    defaults = { arn = "arn:aws:wafv2:us-east-1:123456789012:regional/webacl/mock/473e64fd-f30b-4765-81a0-62ad96dd167a" }
  }
  mock_resource "aws_wafv2_ip_set" {
    defaults = { arn = "arn:aws:wafv2:us-east-1:123456789012:regional/ipset/mock/473e64fd-f30b-4765-81a0-62ad96dd167a" }
  }
  mock_resource "aws_appautoscaling_policy" {
    defaults = { arn = "arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:ac542982-cbeb-4294-891c-a5a941dfa787:resource/ecs/service/mock/mock:policyName/mock" }
  }
  mock_resource "aws_eip" {
    defaults = { public_ip = "192.0.2.1" }
  }
  mock_resource "aws_iam_openid_connect_provider" {
    defaults = { arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
  }
}

run "names_too_long_for_a_target_group_and_networks_too_small_are_refused" {
  command = plan

  variables {
    project            = "scalableappbackendx"
    environment        = "stagingen"
    vpc_cidr           = "10.0.0.0/24"
    endpoint_zones     = 3
    load_path          = "private"
    log_retention_days = 10
    load_run_time      = "180"
  }

  expect_failures = [
    var.project,
    var.vpc_cidr,
    var.endpoint_zones,
    var.load_path,
    var.log_retention_days,
    var.load_run_time,
  ]
}

run "capitals_in_a_name_and_a_single_zone_are_refused" {
  command = plan

  variables {
    project            = "Backend"
    availability_zones = ["us-east-1a"]
  }

  expect_failures = [
    var.project,
    var.availability_zones,
  ]
}

run "a_hyphen_at_the_end_sizes_that_fargate_does_not_have_and_a_kill_during_the_drain_are_refused" {
  command = plan

  variables {
    environment      = "dev-"
    app_cpu          = 256
    app_memory       = 4096
    load_cpu         = 1024
    load_memory      = 1024
    app_stop_timeout = 25
  }

  expect_failures = [
    var.environment,
    var.app_memory,
    var.load_memory,
    var.app_stop_timeout,
  ]
}

run "bounds_and_targets_that_cannot_scale_are_refused" {
  command = plan

  variables {
    min_capacity       = 0
    requests_target    = 0
    cpu_target         = 101
    scale_in_cooldown  = -1
    container_port     = 70000
    app_cpu            = 300
    load_cpu           = 300
    app_stop_timeout   = 121
    load_max_minutes   = 0
    spot_percent       = 101
    container_insights = "on"
    zone_rebalancing   = "OFF"
    deployment         = { strategy = "LINEARLY" }
  }

  expect_failures = [
    var.min_capacity,
    var.requests_target,
    var.cpu_target,
    var.scale_in_cooldown,
    var.container_port,
    var.app_cpu,
    var.load_cpu,
    var.app_stop_timeout,
    var.load_max_minutes,
    var.spot_percent,
    var.container_insights,
    var.zone_rebalancing,
    var.deployment,
  ]
}

run "a_maximum_below_the_minimum_and_values_that_aws_or_sense_refuse_are_refused" {
  command = plan

  variables {
    min_capacity      = 4
    max_capacity      = 3
    chaos             = { zone = "us-east-1f" }
    github            = { repository = "acme/*" } # would trust strangers
    scheduled_scaling = { night = { schedule = "22:00", min_capacity = 2, max_capacity = 6 } }
    budget            = { limit_usd = 0, emails = [] }
    existing_vpc      = { id = "vpc-1", public_subnet_ids = { us-east-1a = "subnet-1" }, private_subnet_ids = {}, private_route_table_ids = [] }
  }

  expect_failures = [
    var.max_capacity,
    var.chaos,
    var.github,
    var.scheduled_scaling,
    var.budget,
    var.existing_vpc,
  ]
}

run "switches_that_clash_are_refused" {
  command = plan

  variables {
    certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012" # without domain_name
    waf             = {}                                                                                    # a generator without a known address
    latency_scaling = { p99_ms = 50, source = "loadgen" }
    publish_metrics = false
    watch_in_task   = true
  }

  expect_failures = [
    var.certificate_arn,
    var.waf,
    var.latency_scaling,
    var.watch_in_task,
  ]
}

run "somebody_elses_load_balancer_with_switches_of_its_owner_is_refused" {
  command = plan

  variables {
    existing_vpc = { id = "vpc-1", public_subnet_ids = { us-east-1a = "subnet-1", us-east-1b = "subnet-2" }, private_subnet_ids = { us-east-1a = "subnet-3", us-east-1b = "subnet-4" }, private_route_table_ids = ["rtb-1"] }
    existing_alb = { arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/x/1", arn_suffix = "app/x/1", url = "http://x", security_group_id = "sg-1", listener_arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/x/1/2" }
    access_logs  = true
  }

  expect_failures = [
    var.existing_alb,
  ]
}

run "somebody_elses_load_balancer_whose_weights_ecs_would_move_is_refused" {
  command = plan

  variables {
    existing_vpc = { id = "vpc-1", public_subnet_ids = { us-east-1a = "subnet-1", us-east-1b = "subnet-2" }, private_subnet_ids = { us-east-1a = "subnet-3", us-east-1b = "subnet-4" }, private_route_table_ids = ["rtb-1"] }
    existing_alb = { arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/x/1", arn_suffix = "app/x/1", url = "http://x", security_group_id = "sg-1", listener_arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/x/1/2" }
    deployment   = { strategy = "CANARY" }
  }

  expect_failures = [
    var.deployment,
  ]
}
