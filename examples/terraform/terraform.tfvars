# Read by `terraform apply` and `terraform destroy` in this directory, not by those who use it as a module.

endpoint = "mycluster.cluster-abc123.us-east-1.neptune.amazonaws.com"

# Start a job:
data_processing_job_id             = "movies-data"
ml_model_training_job_id           = "movies-model"
model_transform_output_s3_location = "s3://mybucket/movies"
wait_for_completion                = true

# Or, in place of the first three of these lines, adopt one that runs already:
# job_id = "movies-2026-01"
