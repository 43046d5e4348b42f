variable "problem" {
  description = "What is wrong; empty if nothing is."
  type        = string

  validation {
    condition     = var.problem == ""
    error_message = var.problem
  }
}
