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

# --- to start a job ---------------------------------------------------------------------------------------------------

variable "model_transform_output_s3_location" {
  description = "Where the job puts its artifacts, as s3://bucket/folder"
  type        = string
  default     = null
}

variable "data_processing_job_id" {
  description = "Id of the completed data processing job whose graph is transformed; goes with ml_model_training_job_id"
  type        = string
  default     = null
}

variable "ml_model_training_job_id" {
  description = "Id of the completed model training job whose models are used; goes with data_processing_job_id"
  type        = string
  default     = null
}

variable "training_job_name" {
  description = "Name of a completed SageMaker training job, in place of data_processing_job_id and ml_model_training_job_id"
  type        = string
  default     = null
}

variable "sagemaker_iam_role_arn" {
  description = "Role with which SageMaker runs the job; by default the cluster's"
  type        = string
  default     = null
}

variable "base_processing_instance_type" {
  description = "Type of the ML instance that prepares the job; by default what Neptune recommends"
  type        = string
  default     = null
}

variable "base_processing_instance_volume_size_in_gb" {
  description = "Size of that instance's disk; by default what Neptune recommends"
  type        = number
  default     = null
}

variable "subnets" {
  description = "Ids of the subnets of the cluster's VPC in which the job runs"
  type        = list(string)
  default     = null
}

variable "security_group_ids" {
  description = "Ids of the security groups with which the job runs"
  type        = list(string)
  default     = null
}

variable "volume_encryption_kms_key" {
  description = "KMS key with which SageMaker encrypts the disks of the job"
  type        = string
  default     = null
}

variable "s3_output_encryption_kms_key" {
  description = "KMS key with which SageMaker encrypts the job's artifacts"
  type        = string
  default     = null
}

variable "custom_model_transform_parameters" {
  description = "Where the code of a custom model is"
  type = object({
    source_s3_directory_path     = string
    transform_entry_point_script = optional(string)
  })
  default = null
}

# --- to adopt a job ---------------------------------------------------------------------------------------------------

variable "job_id" {
  description = "Id of a model transform job that runs already, in place of all that describes a job to be started"
  type        = string
  default     = null
}

# --- settings ---------------------------------------------------------------------------------------------------------

variable "neptune_iam_role_arn" {
  description = "Role with which Neptune reaches SageMaker and Amazon S3; by default the cluster's"
  type        = string
  default     = null
}

variable "wait_for_completion" {
  description = "Whether `terraform apply` waits until the job has completed, and fails if the job fails"
  type        = bool
  default     = false
}

variable "clean" {
  description = "Whether cancelling the job also deletes its Neptune ML artifacts in Amazon S3"
  type        = bool
  default     = false
}

variable "wait_for_stop" {
  description = "Whether `terraform destroy` waits until the job has stopped"
  type        = bool
  default     = true
}

variable "service_timeout" {
  description = "Seconds that one operation on the job may take, at most 3600, which is the default"
  type        = number
  default     = null
}
