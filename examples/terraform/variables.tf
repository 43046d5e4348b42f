variable "stack_name" {
  description = "Name of the stack that declares the job"
  type        = string
  default     = "transform-job"
}

variable "provider_stack" {
  description = "Name of the provider's stack"
  type        = string
  default     = "neptune-ml-provider"
}

# generated: properties, by `make docs`
variable "service_timeout" {
  description = "The maximum duration of an operation, in seconds. A deletion fails if the job has not stopped by then; you can retry it. A creation that waits fails if the job has not completed by then. Default: 3600."
  type        = number
  default     = null
}

variable "endpoint" {
  description = "The Neptune cluster that runs the job: `host`, `host:port` or `https://host:port`. The default port is 8182. For an adopted job, change it only together with `Id`."
  type        = string
}

variable "id" {
  description = "The id of an existing job to adopt. It cannot contain white space, control characters or slashes. Together with the cluster's name, it can have at most 1,024 bytes. Default: the provider generates one."
  type        = string
  default     = null
}

variable "model_transform_output_s3_location" {
  description = "The S3 location for the job's artifacts, such as `s3://bucket/folder`."
  type        = string
  default     = null
}

variable "data_processing_job_id" {
  description = "The id of the completed data processing job that prepared the graph. Requires `MlModelTrainingJobId`."
  type        = string
  default     = null
}

variable "ml_model_training_job_id" {
  description = "The id of the completed model training job whose models this job uses. Requires `DataProcessingJobId`."
  type        = string
  default     = null
}

variable "training_job_name" {
  description = "The name of a completed SageMaker training job, instead of the ids of the two Neptune ML jobs."
  type        = string
  default     = null
}

variable "sagemaker_iam_role_arn" {
  description = "The ARN of the IAM role that SageMaker uses to run the job. Default: the role set in the cluster's parameter group."
  type        = string
  default     = null
}

variable "base_processing_instance_type" {
  description = "The type of the ML instance that prepares the job, such as `ml.r5.4xlarge`. Default: Neptune's recommendation for the graph's size."
  type        = string
  default     = null
}

variable "base_processing_instance_volume_size_in_gb" {
  description = "The volume size of that ML instance, in gigabytes. Default: Neptune's recommendation for the graph's size."
  type        = number
  default     = null
}

variable "subnets" {
  description = "The ids of the job's subnets, in the cluster's VPC."
  type        = list(string)
  default     = null
}

variable "security_group_ids" {
  description = "The ids of the job's security groups."
  type        = list(string)
  default     = null
}

variable "volume_encryption_kms_key" {
  description = "The KMS key that encrypts the volumes of the ML instances."
  type        = string
  default     = null
}

variable "s3_output_encryption_kms_key" {
  description = "The KMS key that encrypts the job's artifacts in Amazon S3."
  type        = string
  default     = null
}

variable "custom_model_transform_parameters" {
  description = "The location of a custom model's code."
  type        = object({ source_s3_directory_path = string, transform_entry_point_script = optional(string) })
  default     = null
}

variable "neptune_iam_role_arn" {
  description = "The ARN of the IAM role that Neptune uses to access SageMaker and Amazon S3. Default: the role set in the cluster's parameter group."
  type        = string
  default     = null
}

variable "wait_for_completion" {
  description = "Whether creating or replacing the job waits until it has completed, and fails if the job fails or is stopped. Default: false."
  type        = bool
  default     = null
}

variable "clean" {
  description = "Whether Neptune also deletes the job's artifacts in Amazon S3 when the job is cancelled. If the job has already ended, Neptune decides. Default: false."
  type        = bool
  default     = null
}

variable "wait_for_stop" {
  description = "Whether a deletion waits until the job has stopped. If `false`, it succeeds when Neptune accepts the request. Default: true."
  type        = bool
  default     = null
}

# end of properties
