# The seed, as planned: what is asserted are values that the seed or the drawing gives, and what a first apply would hit.
# All are mocks: nothing of this reaches an account.
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

variables {
  app_image     = "123456789012.dkr.ecr.us-east-1.amazonaws.com/scalableappbackend-dev-app@sha256:aaaa"
  loadgen_image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/scalableappbackend-dev-loadgen@sha256:bbbb"
}

run "the_first_phase_has_all_but_what_needs_an_image" {
  variables {
    app_image     = null
    loadgen_image = null
  }

  assert {
    condition     = length(aws_ecs_task_definition.app) + length(aws_ecs_task_definition.load) + length(aws_ecs_service.app) + length(aws_appautoscaling_target.service) + length(aws_appautoscaling_policy.requests) + length(aws_appautoscaling_policy.cpu) == 0
    error_message = "something that runs an image is there before the image is"
  }
  assert {
    condition     = length(aws_ecr_repository.main) == 2 && length(aws_lb.main) == 1 && length(aws_ecs_cluster.main) == 1 && length(aws_vpc_endpoint.interface) == 4
    error_message = "repositories, load balancer, cluster and endpoints are in the first phase"
  }
  assert {
    condition     = output.service == null && output.load_task_definition == null
    error_message = "outputs say null for what is not there yet"
  }
}

run "an_image_of_one_alone_brings_its_task_alone" {
  command = plan

  variables {
    app_image = null
  }

  assert {
    condition     = length(aws_ecs_task_definition.load) == 1 && length(aws_ecs_service.app) == 0
    error_message = "the load test does not wait for the API's image"
  }
}

run "the_network_is_the_drawn_one" {
  assert {
    condition     = aws_vpc.main[0].cidr_block == "10.0.0.0/16" && aws_vpc.main[0].enable_dns_support && aws_vpc.main[0].enable_dns_hostnames
    error_message = "10.0.0.0/16 with names, which private endpoints need"
  }
  assert {
    condition     = toset(keys(aws_subnet.public)) == toset(["us-east-1a", "us-east-1b"]) && toset(keys(aws_subnet.private)) == toset(["us-east-1a", "us-east-1b"])
    error_message = "public and private subnets in us-east-1a and us-east-1b"
  }
  assert {
    condition     = length(distinct(concat([for s in aws_subnet.public : s.cidr_block], [for s in aws_subnet.private : s.cidr_block]))) == 4
    error_message = "four different ranges"
  }
  assert {
    condition     = aws_route.public_internet[0].destination_cidr_block == "0.0.0.0/0" && length(aws_route.private_nat) == 0
    error_message = "a default route for the public subnets, none for the private ones"
  }
}

run "names_are_the_seeds" {
  assert {
    condition     = aws_lb.main[0].name == "scalableappbackend-dev-alb" && aws_lb_target_group.app.name == "scalableappbackend-dev-tg" && aws_ecs_cluster.main[0].name == "scalableappbackend-dev-cluster" && aws_ecs_service.app[0].name == "scalableappbackend-dev-service"
    error_message = "load balancer, target group, cluster, service"
  }
  assert {
    condition     = aws_ecr_repository.main["app"].name == "scalableappbackend-dev-app" && aws_cloudwatch_log_group.app.name == "/ecs/scalableappbackend-dev-app"
    error_message = "repository and log group"
  }
}

run "the_load_balancer_asks_health_on_the_containers_port" {
  assert {
    condition     = aws_lb_listener.http[0].port == 80 && aws_lb_target_group.app.port == 80 && aws_lb_target_group.app.target_type == "ip" && aws_lb_target_group.app.health_check[0].path == "/health"
    error_message = ":80, ip targets, /health"
  }
  assert {
    condition     = aws_lb_target_group.app.health_check[0].interval == 10 && aws_lb_target_group.app.health_check[0].healthy_threshold == 2 && aws_lb_target_group.app.health_check[0].unhealthy_threshold == 2 && tonumber(aws_lb_target_group.app.deregistration_delay) == 30
    error_message = "10 s, 2 in a row, 30 s to drain"
  }
  assert {
    condition     = aws_lb_target_group.app.health_check[0].timeout < aws_lb_target_group.app.health_check[0].interval
    error_message = "AWS refuses a time-out that is not below the interval"
  }
}

run "the_service_scales_from_two_to_six_on_both_signals" {
  assert {
    condition     = aws_appautoscaling_target.service[0].min_capacity == 2 && aws_appautoscaling_target.service[0].max_capacity == 6 && aws_ecs_service.app[0].desired_count == 2
    error_message = "2 to 6, beginning with 2"
  }
  assert {
    condition = (
      aws_appautoscaling_policy.requests[0].target_tracking_scaling_policy_configuration[0].predefined_metric_specification[0].predefined_metric_type == "ALBRequestCountPerTarget" &&
      aws_appautoscaling_policy.requests[0].target_tracking_scaling_policy_configuration[0].target_value == 50 &&
      aws_appautoscaling_policy.requests[0].target_tracking_scaling_policy_configuration[0].predefined_metric_specification[0].resource_label == "app/mock/50dc6c495c0c9188/targetgroup/mock/73e2d6bc24d8a067"
    )
    error_message = "50 requests per target, of this load balancer and this target group"
  }
  assert {
    condition = (
      aws_appautoscaling_policy.cpu[0].target_tracking_scaling_policy_configuration[0].predefined_metric_specification[0].predefined_metric_type == "ECSServiceAverageCPUUtilization" &&
      aws_appautoscaling_policy.cpu[0].target_tracking_scaling_policy_configuration[0].target_value == 50
    )
    error_message = "50 % CPU"
  }
  assert {
    condition     = alltrue([for p in [aws_appautoscaling_policy.requests[0], aws_appautoscaling_policy.cpu[0]] : p.target_tracking_scaling_policy_configuration[0].scale_out_cooldown == 60 && p.target_tracking_scaling_policy_configuration[0].scale_in_cooldown == 120])
    error_message = "60 s out, 120 s in, for both"
  }
  assert {
    condition     = aws_ecs_service.app[0].availability_zone_rebalancing == "DISABLED"
    error_message = "a task that ECS moves between zones must not look like scaling"
  }
  assert {
    condition     = aws_ecs_service.app[0].deployment_circuit_breaker[0].rollback && aws_ecs_service.app[0].alarms[0].rollback
    error_message = "a bad version goes back by itself"
  }
  assert {
    condition     = aws_ecs_service.app[0].force_new_deployment
    error_message = "without it the provider refuses to change min_capacity or spot_percent later"
  }
  assert {
    condition     = aws_ecs_service.app[0].network_configuration[0].assign_public_ip == false
    error_message = "tasks are private"
  }
}

run "the_container_runs_as_nobody_on_port_80" {
  assert {
    condition = alltrue([
      jsondecode(aws_ecs_task_definition.app[0].container_definitions)[0].user == "65532:65532",
      jsondecode(aws_ecs_task_definition.app[0].container_definitions)[0].readonlyRootFilesystem,
      jsondecode(aws_ecs_task_definition.app[0].container_definitions)[0].systemControls[0].namespace == "net.ipv4.ip_unprivileged_port_start",
      jsondecode(aws_ecs_task_definition.app[0].container_definitions)[0].systemControls[0].value == "0",
    ])
    error_message = "ECS refuses binds below 1024 to whoever is not root, but for this setting"
  }
  assert {
    condition     = join(" ", jsondecode(aws_ecs_task_definition.app[0].container_definitions)[0].healthCheck.command) == "CMD /server healthcheck"
    error_message = "ECS does not read the image's health check"
  }
  assert {
    condition     = { for e in jsondecode(aws_ecs_task_definition.app[0].container_definitions)[0].environment : e.name => e.value } == { SERVER_ADDR = ":80", SERVER_DRAIN_DELAY = "5s", SERVER_SHUTDOWN_GRACE = "20s" }
    error_message = "address, drain delay, grace"
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.app[0].container_definitions)[0].stopTimeout > 5 + 20
    error_message = "the kill comes after the drain and the grace"
  }
  assert {
    condition     = aws_ecs_task_definition.app[0].cpu == "256" && aws_ecs_task_definition.app[0].memory == "512" && aws_ecs_task_definition.load[0].cpu == "1024" && aws_ecs_task_definition.load[0].memory == "2048"
    error_message = "256/512 and 1024/2048"
  }
}

run "port_8080_needs_no_setting_and_moves_groups_and_targets_with_it" {
  variables {
    container_port = 8080
  }

  assert {
    condition     = length(jsondecode(aws_ecs_task_definition.app[0].container_definitions)[0].systemControls) == 0
    error_message = "no sysctl where none is needed"
  }
  assert {
    condition     = aws_lb_target_group.app.port == 8080 && aws_vpc_security_group_ingress_rule.ecs_alb.from_port == 8080 && aws_vpc_security_group_egress_rule.alb_ecs.to_port == 8080 && one(aws_ecs_service.app[0].load_balancer).container_port == 8080
    error_message = "target group, both rules and the service follow the container"
  }
}

run "the_load_task_has_the_seeds_profile_and_a_volume_it_can_write" {
  assert {
    condition = alltrue([for want in [
      { name = "LOADGEN_HOST", value = "http://mock.us-east-1.elb.amazonaws.com" },
      { name = "LOADGEN_USERS", value = "50" },
      { name = "LOADGEN_SPAWN_RATE", value = "5" },
      { name = "LOADGEN_RUN_TIME", value = "3m" },
    ] : contains(jsondecode(aws_ecs_task_definition.load[0].container_definitions)[0].environment, want)])
    error_message = "50 users, 5 a second, 3 minutes, at the load balancer"
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.load[0].container_definitions)[0].mountPoints[0].containerPath == "/results" && jsondecode(aws_ecs_task_definition.load[0].container_definitions)[0].readonlyRootFilesystem && jsondecode(aws_ecs_task_definition.load[0].container_definitions)[0].stopTimeout == 120
    error_message = "/results is the image's volume; the root is read-only; 120 s to finish"
  }
  assert {
    condition = (
      jsondecode(aws_ecs_task_definition.load[0].container_definitions)[0].logConfiguration.options["awslogs-group"] == jsondecode(aws_ecs_task_definition.app[0].container_definitions)[0].logConfiguration.options["awslogs-group"] &&
      jsondecode(aws_ecs_task_definition.load[0].container_definitions)[0].logConfiguration.options["awslogs-stream-prefix"] != jsondecode(aws_ecs_task_definition.app[0].container_definitions)[0].logConfiguration.options["awslogs-stream-prefix"]
    )
    error_message = "one group, two stream prefixes"
  }
}

run "images_are_immutable_but_for_the_moving_tag" {
  assert {
    condition     = alltrue([for r in aws_ecr_repository.main : r.image_tag_mutability == "IMMUTABLE_WITH_EXCLUSION" && r.image_tag_mutability_exclusion_filter[0].filter == "dev" && r.image_scanning_configuration[0].scan_on_push])
    error_message = "dev moves, a commit's tag does not, and all are scanned"
  }
}

run "endpoints_are_the_drawn_ones_and_monitoring" {
  assert {
    condition     = toset(keys(aws_vpc_endpoint.interface)) == toset(["ecr.api", "ecr.dkr", "logs", "monitoring"])
    error_message = "ecr.api, ecr.dkr, logs as drawn; without monitoring no metric leaves a private subnet"
  }
  assert {
    condition     = alltrue([for e in aws_vpc_endpoint.interface : e.private_dns_enabled && e.vpc_endpoint_type == "Interface"])
    error_message = "private names"
  }
  assert {
    condition     = strcontains(aws_vpc_endpoint.s3[0].policy, "arn:aws:s3:::prod-us-east-1-starport-layer-bucket/*")
    error_message = "image layers pass"
  }
}

run "a_public_load_path_is_open_to_port_80_alone" {
  assert {
    condition     = output.load_assign_public_ip && keys(aws_vpc_security_group_egress_rule.load_alb_public) == ["80"] && length(aws_vpc_security_group_egress_rule.load_alb_internal) == 0
    error_message = "the load task has an address and may reach port 80 of anybody, for a group's name matches private addresses only"
  }
  assert {
    condition     = !aws_lb.main[0].internal && length(aws_nat_gateway.main) == 0
    error_message = "internet-facing, no gateway to pay for"
  }
}

run "a_load_path_through_a_gateway_has_one_and_no_public_address" {
  variables {
    load_path = "nat"
  }

  assert {
    condition     = length(aws_nat_gateway.main) == 1 && length(aws_route.private_nat) == 1 && !output.load_assign_public_ip
    error_message = "a gateway and a route to it"
  }
}

run "an_internal_load_path_names_groups_alone" {
  variables {
    load_path = "internal"
  }

  assert {
    condition     = aws_lb.main[0].internal && length(aws_vpc_security_group_ingress_rule.alb_clients) == 0 && length(aws_vpc_security_group_egress_rule.load_alb_public) == 0 && keys(aws_vpc_security_group_ingress_rule.alb_load) == ["80"]
    error_message = "no rule is open to the world"
  }
}

run "a_load_task_that_outlives_its_launcher_is_stopped" {
  assert {
    condition     = jsondecode(aws_sfn_state_machine.reaper[0].definition).States.Wait.Seconds == 7200 && jsondecode(aws_cloudwatch_event_rule.reaper[0].event_pattern).detail.group == ["family:scalableappbackend-dev-loadgen"]
    error_message = "two hours after a load task of ours runs"
  }
}

run "the_cost_is_said_in_advance" {
  assert {
    condition     = output.monthly_cost["interface endpoints"] == 58.4 && output.monthly_cost["API tasks, at their fewest"] == 18.02 && !contains(keys(output.monthly_cost), "NAT gateway and its address")
    error_message = "4 endpoints in 2 zones at $0.01 an hour, 2 tasks of a quarter vCPU and half a GB"
  }
}

run "a_service_beyond_a_new_accounts_quota_is_said" {
  command = plan

  variables {
    max_capacity = 20
  }

  expect_failures = [check.fargate_quota]
}
