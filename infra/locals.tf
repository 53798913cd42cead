locals {
  # MiB that Fargate has for each CPU size.
  fargate_memory = {
    "256"   = [512, 1024, 2048]
    "512"   = [for g in range(1, 5) : g * 1024]
    "1024"  = [for g in range(2, 9) : g * 1024]
    "2048"  = [for g in range(4, 17) : g * 1024]
    "4096"  = [for g in range(8, 31) : g * 1024]
    "8192"  = [for g in range(16, 61, 4) : g * 1024]
    "16384" = [for g in range(32, 121, 8) : g * 1024]
  }
}
