# Terraform leaves the resource to a small stack, whose only resource is the job.

locals {
  custom_model = var.custom_model_transform_parameters == null ? null : {
    SourceS3DirectoryPath     = var.custom_model_transform_parameters.source_s3_directory_path
    TransformEntryPointScript = var.custom_model_transform_parameters.transform_entry_point_script
  }

  properties = {
    # Imported, not passed as an ARN: CloudFormation then keeps the provider as long as this stack needs it.
    ServiceToken                         = { "Fn::ImportValue" = "${var.provider_stack}-ServiceToken" }
    ServiceTimeout                       = var.service_timeout
    Endpoint                             = var.endpoint
    Id                                   = var.job_id
    ModelTransformOutputS3Location       = var.model_transform_output_s3_location
    DataProcessingJobId                  = var.data_processing_job_id
    MlModelTrainingJobId                 = var.ml_model_training_job_id
    TrainingJobName                      = var.training_job_name
    SagemakerIamRoleArn                  = var.sagemaker_iam_role_arn
    BaseProcessingInstanceType           = var.base_processing_instance_type
    BaseProcessingInstanceVolumeSizeInGB = var.base_processing_instance_volume_size_in_gb
    Subnets                              = var.subnets
    SecurityGroupIds                     = var.security_group_ids
    VolumeEncryptionKMSKey               = var.volume_encryption_kms_key
    S3OutputEncryptionKMSKey             = var.s3_output_encryption_kms_key
    CustomModelTransformParameters       = local.custom_model == null ? null : { for name, value in local.custom_model : name => value if value != null }
    NeptuneIamRoleArn                    = var.neptune_iam_role_arn
    WaitForCompletion                    = var.wait_for_completion
    Clean                                = var.clean
    WaitForStop                          = var.wait_for_stop
  }

  attributes = [
    "Id", "Status", "OutputLocation", "BaseProcessingJobArn", "RemoteModelTransformJobArn", "ModelNames", "ModelArns"
  ]
}

resource "aws_cloudformation_stack" "transform_job" {
  name = var.stack_name

  template_body = jsonencode({
    Description = "A Neptune ML model transform job, which is cancelled when this stack is deleted"
    Resources = {
      TransformJob = {
        Type       = "Custom::NeptuneMLModelTransformJob"
        Properties = { for name, value in local.properties : name => value if value != null }
      }
    }
    Outputs = { for name in local.attributes : name => { Value = { "Fn::GetAtt" = ["TransformJob", name] } } }
  })

  # Terraform's own limits are 30 minutes; CloudFormation waits for an hour, and for a rollback after it.
  timeouts {
    create = "130m"
    update = "130m"
    delete = "65m"
  }

  lifecycle {
    precondition {
      condition     = (var.job_id == null) != (var.model_transform_output_s3_location == null)
      error_message = "Give either model_transform_output_s3_location, to start a job, or job_id, to adopt one."
    }
  }
}
