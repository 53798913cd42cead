# The VPC: public subnets with a way to the internet, private ones without.

locals {
  own_vpc = var.existing_vpc == null
  vpc_id  = local.own_vpc ? one(aws_vpc.main[*].id) : var.existing_vpc.id

  public_subnets  = { for z in var.availability_zones : z => local.own_vpc ? aws_subnet.public[z].id : var.existing_vpc.public_subnet_ids[z] }
  private_subnets = { for z in var.availability_zones : z => local.own_vpc ? aws_subnet.private[z].id : var.existing_vpc.private_subnet_ids[z] }

  public_route_tables  = local.own_vpc ? aws_route_table.public[*].id : var.existing_vpc.public_route_table_ids
  private_route_tables = local.own_vpc ? aws_route_table.private[*].id : var.existing_vpc.private_route_table_ids

  nat = local.own_vpc && var.load_path == "nat"
}

resource "aws_vpc" "main" {
  count = local.own_vpc ? 1 : 0

  cidr_block = var.vpc_cidr
  # Both for the endpoints: their private names must resolve inside.
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = { Name = local.prefix }
}

# Nobody uses it, so nobody gets what it would allow by default.
resource "aws_default_security_group" "closed" {
  count = local.own_vpc ? 1 : 0

  vpc_id = aws_vpc.main[0].id
  tags   = { Name = "${local.prefix}-default-closed" }
}

resource "aws_subnet" "public" {
  for_each = local.own_vpc ? toset(var.availability_zones) : []

  vpc_id            = aws_vpc.main[0].id
  availability_zone = each.key
  cidr_block        = cidrsubnet(var.vpc_cidr, 8, index(var.availability_zones, each.key))
  # An address is asked for where one is wanted, not given to whatever starts here.
  map_public_ip_on_launch = false

  tags = { Name = "${local.prefix}-public-${each.key}" }
}

resource "aws_subnet" "private" {
  for_each = local.own_vpc ? toset(var.availability_zones) : []

  vpc_id            = aws_vpc.main[0].id
  availability_zone = each.key
  cidr_block        = cidrsubnet(var.vpc_cidr, 8, 16 + index(var.availability_zones, each.key))

  tags = { Name = "${local.prefix}-private-${each.key}" }
}

resource "aws_internet_gateway" "main" {
  count = local.own_vpc ? 1 : 0

  vpc_id = aws_vpc.main[0].id
  tags   = { Name = local.prefix }
}

resource "aws_route_table" "public" {
  count = local.own_vpc ? 1 : 0

  vpc_id = aws_vpc.main[0].id
  tags   = { Name = "${local.prefix}-public" }
}

resource "aws_route" "public_internet" {
  count = local.own_vpc ? 1 : 0

  route_table_id         = aws_route_table.public[0].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.main[0].id
}

resource "aws_route_table_association" "public" {
  for_each = aws_subnet.public

  subnet_id      = each.value.id
  route_table_id = aws_route_table.public[0].id
}

# Without a default route: what is in the private subnets reaches the endpoints and nothing else.
resource "aws_route_table" "private" {
  count = local.own_vpc ? 1 : 0

  vpc_id = aws_vpc.main[0].id
  tags   = { Name = "${local.prefix}-private" }
}

resource "aws_route_table_association" "private" {
  for_each = aws_subnet.private

  subnet_id      = each.value.id
  route_table_id = aws_route_table.private[0].id
}

# --- load_path nat

resource "aws_eip" "nat" {
  count = local.nat ? 1 : 0

  domain = "vpc"
  tags   = { Name = "${local.prefix}-nat" }

  depends_on = [aws_internet_gateway.main]
}

resource "aws_nat_gateway" "main" {
  count = local.nat ? 1 : 0

  allocation_id = aws_eip.nat[0].id
  subnet_id     = aws_subnet.public[var.availability_zones[0]].id
  tags          = { Name = local.prefix }

  depends_on = [aws_route.public_internet]
}

resource "aws_route" "private_nat" {
  count = local.nat ? 1 : 0

  route_table_id         = aws_route_table.private[0].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.main[0].id
}
