output "job_id" {
  description = "Id of the job; the provider makes that of a job that it starts"
  value       = aws_cloudformation_stack.transform_job.outputs["Id"]
}

output "status" {
  description = "Status of the job when the stack was last updated"
  value       = aws_cloudformation_stack.transform_job.outputs["Status"]
}

output "output_location" {
  description = "Where the job's artifacts are; empty where Neptune names none"
  value       = aws_cloudformation_stack.transform_job.outputs["OutputLocation"]
}

output "base_processing_job_arn" {
  description = "ARN of the job's SageMaker processing job; empty where Neptune names none"
  value       = aws_cloudformation_stack.transform_job.outputs["BaseProcessingJobArn"]
}

output "remote_model_transform_job_arn" {
  description = "ARN of the job's SageMaker transform job; empty where Neptune names none"
  value       = aws_cloudformation_stack.transform_job.outputs["RemoteModelTransformJobArn"]
}

output "model_names" {
  description = "Names of the SageMaker models that the job has made"
  value       = compact(split(",", aws_cloudformation_stack.transform_job.outputs["ModelNames"]))
}

output "model_arns" {
  description = "ARNs of the SageMaker models that the job has made"
  value       = compact(split(",", aws_cloudformation_stack.transform_job.outputs["ModelArns"]))
}
