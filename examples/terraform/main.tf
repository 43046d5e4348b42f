# A stack whose only resource is the job.

# generated: properties, by `make docs`
locals {
  properties = {
    ServiceTimeout                       = var.service_timeout
    Endpoint                             = var.endpoint
    Id                                   = var.id
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
    CustomModelTransformParameters       = var.custom_model_transform_parameters == null ? null : { for name, value in { SourceS3DirectoryPath = var.custom_model_transform_parameters.source_s3_directory_path, TransformEntryPointScript = var.custom_model_transform_parameters.transform_entry_point_script } : name => value if value != null }
    NeptuneIamRoleArn                    = var.neptune_iam_role_arn
    WaitForCompletion                    = var.wait_for_completion
    Clean                                = var.clean
    WaitForStop                          = var.wait_for_stop
  }
  attributes = ["Id", "Status", "OutputLocation", "BaseProcessingJobArn", "RemoteModelTransformJobArn", "ModelNames", "ModelArns"]
}
# end of properties

resource "aws_cloudformation_stack" "transform_job" {
  name = var.stack_name

  template_body = jsonencode({
    Description = "A Neptune ML model transform job, which is cancelled when this stack is deleted"
    Resources = {
      TransformJob = {
        Type = "Custom::NeptuneMLModelTransformJob"
        Properties = merge(
          # The import keeps CloudFormation from deleting the provider while this stack needs it.
          { ServiceToken = { "Fn::ImportValue" = "${var.provider_stack}-ServiceToken" } },
          { for name, value in local.properties : name => value if value != null },
        )
      }
    }
    Outputs = { for name in local.attributes : name => { Value = { "Fn::GetAtt" = ["TransformJob", name] } } }
  })

  # Terraform's own limits are 30 minutes. CloudFormation waits for an hour, and then for a rollback.
  timeouts {
    create = "130m"
    update = "130m"
    delete = "65m"
  }

  lifecycle {
    precondition {
      condition     = (var.id == null) != (var.model_transform_output_s3_location == null)
      error_message = "Specify either model_transform_output_s3_location, to start a job, or id, to adopt one."
    }
  }
}
