# Joined, so that a plan knows that they are not null.
output "id" {
  description = "The job's ID."
  value       = join("", [aws_cloudformation_stack.this.outputs["Id"]])
}

output "ref" {
  description = "The `Ref` of the resource, which a JobLookup takes as `Job`."
  value       = join("", [aws_cloudformation_stack.this.outputs["Ref"]])
}

output "attributes" {
  description = "The attributes of the resource, by their names in `Fn::GetAtt`."
  value       = { for name in local.attributes : name => aws_cloudformation_stack.this.outputs[name] }
}
