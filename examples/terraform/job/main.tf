# Starts a job and waits until it has completed. `terraform destroy` cancels it if it still runs.

variable "endpoint" {
  description = "The Neptune cluster, as host or host:port"
  type        = string
}

module "transform" {
  source = "./neptune-ml" # the module of a release, unpacked

  name     = "movies-transform"
  type     = "ModelTransformJob"
  wait_for = 3600

  properties = {
    Endpoint                       = var.endpoint
    DataProcessingJobId            = "movies-data"
    MlModelTrainingJobId           = "movies-model"
    ModelTransformOutputS3Location = "s3://mybucket/movies"
  }
}

output "artifacts" {
  value = module.transform.attributes.OutputLocation
}
