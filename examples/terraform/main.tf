# A model transform job that runs already, in a Terraform configuration: `terraform destroy` cancels it and comes back
# when it has stopped. Terraform leaves the resource to a small stack, whose only resource is the job.
#
#   terraform init
#   terraform apply -var job_id=movies-2026-01 -var endpoint=mycluster.cluster-abc123.us-east-1.neptune.amazonaws.com
#   terraform destroy

terraform {
  required_version = ">= 1.3"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "stack_name" {
  description = "Name of the stack that declares the job"
  type        = string
  default     = "transform-job"
}

variable "provider_stack" {
  description = "Name of the stack of the provider, which was deployed once for this VPC"
  type        = string
  default     = "neptune-ml-provider"
}

variable "endpoint" {
  description = "The Neptune cluster, as host, host:port or https://host:port"
  type        = string
}

variable "job_id" {
  description = "Id of the model transform job; it has to exist"
  type        = string
}

variable "clean" {
  description = "Whether cancelling the job also deletes its Neptune ML artifacts in Amazon S3"
  type        = bool
  default     = false
}

resource "aws_cloudformation_stack" "transform_job" {
  name = var.stack_name

  template_body = jsonencode({
    Description = "Cancels a Neptune ML model transform job when this stack is deleted"
    Resources = {
      TransformJob = {
        Type = "Custom::NeptuneMLModelTransformJob"
        Properties = {
          # Imported, not passed as an ARN: CloudFormation then keeps the provider as long as this stack needs it.
          ServiceToken = { "Fn::ImportValue" = "${var.provider_stack}-ServiceToken" }
          Endpoint     = var.endpoint
          Id           = var.job_id
          Clean        = var.clean
        }
      }
    }
    Outputs = {
      Status         = { Value = { "Fn::GetAtt" = "TransformJob.Status" } }
      OutputLocation = { Value = { "Fn::GetAtt" = "TransformJob.OutputLocation" } }
    }
  })

  # If Terraform manages them, too: the cluster's instances and the security group rule that lets the provider's function
  # in have to outlive the job. Nothing above refers to them, so name them:
  #
  #   depends_on = [aws_neptune_cluster_instance.this, aws_vpc_security_group_ingress_rule.provider]

  # Terraform's own limits are 30 minutes; CloudFormation waits for an hour, and for a rollback after it.
  timeouts {
    create = "130m"
    update = "130m"
    delete = "65m"
  }
}

output "status" {
  description = "Status of the job when the stack was last updated"
  value       = aws_cloudformation_stack.transform_job.outputs["Status"]
}

output "output_location" {
  description = "Where the job's artifacts are"
  value       = aws_cloudformation_stack.transform_job.outputs["OutputLocation"]
}
