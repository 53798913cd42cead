# What each switch adds. All are mocks.
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

run "https_redirects_80_and_gives_the_load_task_the_certificates_name" {
  variables {
    certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
    domain_name     = "api.example.com"
  }

  assert {
    condition     = aws_lb_listener.http[0].default_action[0].type == "redirect" && aws_lb_listener.https[0].port == 443 && output.alb_url == "https://api.example.com"
    error_message = "80 redirects, 443 serves, and the host is the certificate's"
  }
  assert {
    condition     = toset(keys(aws_vpc_security_group_egress_rule.load_alb_public)) == toset(["80", "443"])
    error_message = "the load task reaches both"
  }
}

run "latency_scales_out_in_steps_and_never_in" {
  variables {
    latency_scaling = { p99_ms = 50, min_requests = 200 }
  }

  assert {
    condition     = aws_appautoscaling_policy.latency[0].policy_type == "StepScaling" && alltrue([for s in aws_appautoscaling_policy.latency[0].step_scaling_policy_configuration[0].step_adjustment : s.scaling_adjustment > 0 && tonumber(s.metric_interval_lower_bound) >= 0])
    error_message = "steps up alone"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.latency[0].threshold == 50 && aws_cloudwatch_metric_alarm.latency[0].treat_missing_data == "notBreaching" && anytrue([for q in aws_cloudwatch_metric_alarm.latency[0].metric_query : q.expression == "IF(FILL(requests, 0) >= 200, p99 * 1000, 0)"])
    error_message = "p99 in ms, silent below 200 requests a minute"
  }
}

run "latency_of_the_load_generator_is_its_corrected_one_of_this_service" {
  variables {
    latency_scaling = { p99_ms = 50, source = "loadgen" }
  }

  assert {
    condition     = anytrue([for q in aws_cloudwatch_metric_alarm.latency[0].metric_query : try(one(q.metric).namespace == "LoadGen" && one(q.metric).metric_name == "Latency" && one(q.metric).dimensions["Service"] == "scalableappbackend-dev-service" && one(q.metric).stat == "p99", false)])
    error_message = "LoadGen Latency, p99, {Service}"
  }
}

run "a_canary_has_two_target_groups_and_scales_on_their_sum" {
  variables {
    deployment = { strategy = "CANARY" }
  }

  assert {
    condition     = aws_lb_target_group.alternate[0].name == "scalableappbackend-dev-tg2" && aws_ecs_service.app[0].deployment_configuration[0].strategy == "CANARY" && length(aws_ecs_service.app[0].deployment_circuit_breaker) == 0
    error_message = "a second group; the circuit breaker is for rolling deployments"
  }
  assert {
    condition     = length(aws_appautoscaling_policy.requests[0].target_tracking_scaling_policy_configuration[0].predefined_metric_specification) == 0 && length(aws_appautoscaling_policy.requests[0].target_tracking_scaling_policy_configuration[0].customized_metric_specification[0].metrics) == 3
    error_message = "the predefined metric is not supported for two groups"
  }
  assert {
    condition     = aws_lb_listener.http[0].default_action[0].type == "fixed-response" && aws_lb_listener_rule.test[0].priority < aws_lb_listener_rule.production[0].priority
    error_message = "traffic goes through rules, the test's first"
  }
}

run "a_firewall_exempts_the_generators_address_from_the_rate_alone" {
  variables {
    waf       = { rate_limit = 1000 }
    load_path = "nat"
  }

  assert {
    condition     = aws_wafv2_ip_set.load[0].addresses == toset(["192.0.2.1/32"])
    error_message = "the gateway's address"
  }
  assert {
    condition     = length([for r in aws_wafv2_web_acl.main[0].rule : r if length(r.statement[0].rate_based_statement) == 1]) == 1 && length(aws_wafv2_web_acl.main[0].rule) == 4
    error_message = "a rate rule and three managed groups"
  }
}

run "a_firewall_before_an_internal_load_balancer_exempts_the_private_subnets" {
  command = plan

  variables {
    waf       = {}
    load_path = "internal"
  }

  assert {
    condition     = length(aws_wafv2_ip_set.load[0].addresses) == 2
    error_message = "tasks come with their own addresses"
  }
}

run "tracing_adds_a_container_that_may_fail_and_its_way_out" {
  variables {
    tracing = { collector_image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/scalableappbackend-dev-collector@sha256:cccc" }
  }

  assert {
    condition     = alltrue([for t in [aws_ecs_task_definition.app[0], aws_ecs_task_definition.load[0]] : jsondecode(t.container_definitions)[1].essential == false])
    error_message = "beside the API and beside the load generator"
  }
  assert {
    condition     = contains(keys(aws_vpc_endpoint.interface), "xray") && contains(keys(aws_ecr_repository.main), "collector")
    error_message = "an endpoint and a repository"
  }
}

run "tracing_without_its_image_yet_is_a_first_phase" {
  variables {
    tracing = {}
  }

  assert {
    condition     = length(jsondecode(aws_ecs_task_definition.app[0].container_definitions)) == 1 && contains(keys(aws_ecr_repository.main), "collector")
    error_message = "the repository first, the container when there is an image"
  }
}

run "a_lost_zone_takes_neither_endpoints_nor_load_with_it" {
  variables {
    chaos     = { zone = "us-east-1b" }
    load_path = "nat"
  }

  assert {
    condition     = output.load_subnets == [aws_subnet.private["us-east-1a"].id]
    error_message = "the load is in the other zone"
  }
  assert {
    condition     = alltrue([for e in aws_vpc_endpoint.interface : toset(e.subnet_ids) == toset([for s in aws_subnet.public : s.id])])
    error_message = "the endpoints are not in what is cut off"
  }
  assert {
    condition     = length(aws_fis_experiment_template.zone) == 1 && alltrue([for c in aws_fis_experiment_template.zone[0].stop_condition : c.source == "aws:cloudwatch:alarm"])
    error_message = "it ends when too much fails"
  }
}

run "a_key_of_our_own_encrypts_logs_results_and_images" {
  variables {
    encryption_key = true
  }

  assert {
    condition     = aws_cloudwatch_log_group.app.kms_key_id == aws_kms_key.main[0].arn && one(one(aws_s3_bucket_server_side_encryption_configuration.results[0].rule).apply_server_side_encryption_by_default).sse_algorithm == "aws:kms" && aws_ecr_repository.main["app"].encryption_configuration[0].encryption_type == "KMS"
    error_message = "log group, bucket, repository"
  }
  assert {
    condition     = contains(keys(aws_iam_role_policy.load), "results-key")
    error_message = "the load task may use it"
  }
}

run "logs_of_the_load_balancer_go_to_a_bucket_without_kms" {
  variables {
    access_logs       = true
    health_check_logs = true
    encryption_key    = true
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.alb_logs[0].rule).apply_server_side_encryption_by_default).sse_algorithm == "AES256" && aws_lb.main[0].access_logs[0].enabled && aws_lb.main[0].health_check_logs[0].enabled
    error_message = "KMS is refused there, whatever the rest uses"
  }
}

run "spot_is_for_what_is_above_the_minimum" {
  variables {
    spot_percent = 70
  }

  assert {
    condition     = { for s in aws_ecs_service.app[0].capacity_provider_strategy : s.capacity_provider => s.weight } == { FARGATE = 30, FARGATE_SPOT = 70 } && one([for s in aws_ecs_service.app[0].capacity_provider_strategy : s.base if s.capacity_provider == "FARGATE"]) == 2
    error_message = "two tasks on demand, then 30 to 70"
  }
}

run "pipelines_are_trusted_for_one_subject_each" {
  variables {
    github = { repository = "acme/api" }
  }

  assert {
    condition = { for name, r in aws_iam_role.github : name => jsondecode(r.assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"] } == {
      plan  = "repo:acme/api:pull_request"
      push  = "repo:acme/api:ref:refs/heads/main"
      apply = "repo:acme/api:environment:production"
    }
    error_message = "a pull request plans, the branch pushes, the environment applies"
  }
}

run "a_given_github_provider_is_used_and_none_is_made" {
  variables {
    github = { repository = "acme/api", provider_arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
  }

  assert {
    condition     = length(aws_iam_openid_connect_provider.github) == 0 && length(aws_iam_role.github) == 3
    error_message = "an account has one"
  }
}

run "an_existing_vpc_is_used_and_none_is_made" {
  variables {
    existing_vpc = {
      id                      = "vpc-0a1b2c3d4e5f60718"
      public_subnet_ids       = { us-east-1a = "subnet-0a1b2c3d4e5f60711", us-east-1b = "subnet-0a1b2c3d4e5f60712" }
      private_subnet_ids      = { us-east-1a = "subnet-0a1b2c3d4e5f60713", us-east-1b = "subnet-0a1b2c3d4e5f60714" }
      private_route_table_ids = ["rtb-0a1b2c3d4e5f60715"]
      endpoints = {
        security_group_id = "sg-0a1b2c3d4e5f60716"
        s3_prefix_list_id = "pl-63a5400a"
      }
    }
  }

  assert {
    condition     = length(aws_vpc.main) + length(aws_subnet.public) + length(aws_vpc_endpoint.interface) + length(aws_internet_gateway.main) == 0
    error_message = "nothing of a network is made"
  }
  assert {
    condition     = toset(one(aws_ecs_service.app[0].network_configuration).subnets) == toset(["subnet-0a1b2c3d4e5f60713", "subnet-0a1b2c3d4e5f60714"]) && aws_vpc_security_group_egress_rule.ecs_endpoints.referenced_security_group_id == "sg-0a1b2c3d4e5f60716"
    error_message = "its private subnets and its endpoints' group"
  }
}

run "an_existing_load_balancer_and_cluster_are_used" {
  variables {
    existing_vpc = {
      id                      = "vpc-0a1b2c3d4e5f60718"
      public_subnet_ids       = { us-east-1a = "subnet-0a1b2c3d4e5f60711", us-east-1b = "subnet-0a1b2c3d4e5f60712" }
      private_subnet_ids      = { us-east-1a = "subnet-0a1b2c3d4e5f60713", us-east-1b = "subnet-0a1b2c3d4e5f60714" }
      private_route_table_ids = ["rtb-0a1b2c3d4e5f60715"]
    }
    existing_alb = {
      arn               = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/shared/50dc6c495c0c9188"
      arn_suffix        = "app/shared/50dc6c495c0c9188"
      url               = "http://shared.example.com"
      security_group_id = "sg-0a1b2c3d4e5f60717"
      listener_arn      = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/shared/50dc6c495c0c9188/f2f7dc8efc522ab2"
      host_headers      = ["api.example.com"]
    }
    existing_cluster = {
      arn  = "arn:aws:ecs:us-east-1:123456789012:cluster/shared"
      name = "shared"
    }
  }

  assert {
    condition     = length(aws_lb.main) + length(aws_lb_listener.http) + length(aws_ecs_cluster.main) == 0 && length(aws_lb_listener_rule.existing) == 1
    error_message = "a rule on its listener, and nothing of its kind"
  }
  assert {
    condition     = aws_appautoscaling_target.service[0].resource_id == "service/shared/scalableappbackend-dev-service" && startswith(aws_appautoscaling_policy.requests[0].target_tracking_scaling_policy_configuration[0].predefined_metric_specification[0].resource_label, "app/shared/50dc6c495c0c9188/targetgroup/")
    error_message = "scaling follows both"
  }
  assert {
    condition     = aws_vpc_security_group_egress_rule.alb_ecs.security_group_id == "sg-0a1b2c3d4e5f60717"
    error_message = "its group may reach the tasks"
  }
}

run "events_of_this_service_go_to_a_log_that_lets_them_in" {
  variables {
    event_log = true
  }

  assert {
    condition     = length(aws_cloudwatch_event_rule.events) == 2 && length(aws_cloudwatch_log_resource_policy.events) == 1 && startswith(aws_cloudwatch_log_group.events[0].name, "/aws/events/")
    error_message = "two rules, a resource policy, and a name that EventBridge takes"
  }
}

run "bounds_follow_the_clock" {
  variables {
    scheduled_scaling = { night = { schedule = "cron(0 22 * * ? *)", min_capacity = 1, max_capacity = 2 } }
  }

  assert {
    condition     = tonumber(one(aws_appautoscaling_scheduled_action.main["night"].scalable_target_action).max_capacity) == 2
    error_message = "at night at most two"
  }
}

run "dashboards_are_filled_and_valid" {
  variables {
    dashboards           = true
    latency_objective_ms = 120
  }

  assert {
    condition     = alltrue([for d in aws_cloudwatch_dashboard.main : length(jsondecode(d.dashboard_body).widgets) >= 6])
    error_message = "both have widgets"
  }

  assert {
    condition     = alltrue([for d in aws_cloudwatch_dashboard.main : anytrue([for w in jsondecode(d.dashboard_body).widgets : w.type == "alarm" && contains(try(w.properties.alarms, []), "arn:aws:cloudwatch:us-east-1:123456789012:alarm:mock")])])
    error_message = "both show the alarms"
  }

  assert {
    condition     = alltrue([for d in aws_cloudwatch_dashboard.main : anytrue([for w in jsondecode(d.dashboard_body).widgets : try(w.properties.annotations.horizontal[0].label == "objective" && w.properties.annotations.horizontal[0].value == 120, false)])])
    error_message = "both show the objective as a line"
  }

  assert {
    condition     = output.dashboard.cluster == output.cluster && output.dashboard.watch_log_group == output.watch_log_group && contains(output.dashboard.alarm_arns, "arn:aws:cloudwatch:us-east-1:123456789012:alarm:mock")
    error_message = "loadgen dashboard is given the same names"
  }
}

run "the_least_policies_are_handed_over_by_name" {
  variables {
    results_bucket = true
    encryption_key = true
  }

  assert {
    condition     = toset(keys(output.policies)) == toset(["launch-collect", "launch-image", "launch-plan", "launch-run", "load-metrics", "load-results", "load-results-key", "load-watch", "otlp-metrics", "results-read", "tracing", "watch-log"])
    error_message = "one for each use"
  }

  assert {
    condition     = anytrue([for s in jsondecode(output.policies["launch-run"]).Statement : s.Action == "ecs:RunTask" && endswith(s.Resource, ":task-definition/scalableappbackend-dev-loadgen:*")])
    error_message = "a launcher runs the load task's family"
  }

  assert {
    condition     = anytrue([for s in jsondecode(output.policies["load-watch"]).Statement : contains(flatten([s.Resource]), "arn:aws:cloudwatch:us-east-1:123456789012:alarm:TargetTracking-service/scalableappbackend-dev-cluster/scalableappbackend-dev-service-*")])
    error_message = "a watcher reads the alarms that AWS makes for this service"
  }
}

run "without_a_bucket_there_is_no_policy_for_one" {
  variables {
    results_bucket = false
  }

  assert {
    condition     = !contains(keys(output.policies), "load-results") && !contains(keys(output.policies), "results-read") && contains(keys(output.policies), "launch-run")
    error_message = "what has no bucket needs no bucket's policy"
  }
}
