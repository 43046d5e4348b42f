# Terraform reads this file in this directory, but not when the directory is used as a module.

endpoint = "mycluster.cluster-abc123.us-east-1.neptune.amazonaws.com"

# Start a job:
data_processing_job_id             = "movies-data"
ml_model_training_job_id           = "movies-model"
model_transform_output_s3_location = "s3://mybucket/movies"
wait_for_completion                = true

# Or adopt an existing one, instead of the first three lines:
# id = "movies-2026-01"
