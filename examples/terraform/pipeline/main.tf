# From an exported graph to an endpoint. With newer data, another `export_location` goes through it once more and keeps
# the endpoint. `terraform destroy` deletes the endpoint and cancels what still runs, in the reverse order.

variable "endpoint" {
  description = "The Neptune cluster, as host or host:port"
  type        = string
}

variable "export_location" {
  description = "The exported graph, as s3://bucket/folder"
  type        = string
}

variable "output_location" {
  description = "Where the jobs put their artifacts, as s3://bucket/folder"
  type        = string
}

module "processing" {
  source = "./neptune-ml" # the module of a release, unpacked

  name     = "movies-processing"
  type     = "DataProcessingJob"
  wait_for = 3600
  properties = {
    Endpoint                = var.endpoint
    InputDataS3Location     = var.export_location
    ProcessedDataS3Location = "${var.output_location}/processed"
  }
}

module "training" {
  source = "./neptune-ml"

  name     = "movies-training"
  type     = "ModelTrainingJob"
  wait_for = 12 * 3600
  properties = {
    Endpoint             = var.endpoint
    DataProcessingJobId  = module.processing.id
    TrainModelS3Location = "${var.output_location}/trained"
  }
}

module "transform" {
  source = "./neptune-ml"

  name     = "movies-transform"
  type     = "ModelTransformJob"
  wait_for = 3600
  properties = {
    Endpoint                       = var.endpoint
    DataProcessingJobId            = module.processing.id
    MlModelTrainingJobId           = module.training.id
    ModelTransformOutputS3Location = "${var.output_location}/transformed"
  }
}

module "inference" {
  source = "./neptune-ml"

  name     = "movies-inference"
  type     = "Endpoint"
  wait_for = 3600
  properties = {
    Endpoint              = var.endpoint
    MlModelTransformJobId = module.transform.id
    InstanceType          = "ml.m5.xlarge"
  }
}

output "model_location" {
  value = module.training.attributes.OutputLocation
}

output "endpoint_id" {
  value = module.inference.id
}
