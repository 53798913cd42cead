plugin "terraform" {
  enabled = true
  preset  = "all"
}

# The layout is by concern: a variable and an output stand in files that are named after what they are about.
rule "terraform_standard_module_structure" {
  enabled = false
}
