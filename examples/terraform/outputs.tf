output "attributes" {
  description = "The job's attributes, such as Id, Status and OutputLocation, when the stack was last updated"
  value       = aws_cloudformation_stack.transform_job.outputs
}
