mock_provider "aws" {}

variables {
  name = "movies"
  type = "ModelTrainingJob"
  properties = {
    Endpoint             = "mycluster.cluster-abc123.us-east-1.neptune.amazonaws.com"
    DataProcessingJobId  = "movies-data"
    TrainModelS3Location = "s3://mybucket/movies"
    Clean                = null
  }
}

run "does_not_wait" {
  command = plan

  assert {
    condition = jsondecode(aws_cloudformation_stack.this.template_body).Resources == {
      Job = {
        Type = "Custom::NeptuneMLModelTrainingJob"
        Properties = {
          ServiceToken         = { "Fn::ImportValue" = "neptune-ml-provider-ServiceToken" }
          Endpoint             = var.properties.Endpoint
          DataProcessingJobId  = "movies-data"
          TrainModelS3Location = "s3://mybucket/movies"
        }
      }
    }
    error_message = "The job should be the only resource."
  }
}

run "waits_an_hour" {
  command = plan

  variables {
    wait_for       = 1800
    provider_stack = "other"
  }

  assert {
    condition     = [for name in ["WaitForCompletion", "ServiceTimeout", "ServiceToken"] : jsondecode(aws_cloudformation_stack.this.template_body).Resources.Job.Properties[name]] == [true, 1800, { "Fn::ImportValue" = "other-ServiceToken" }]
    error_message = "The job should wait."
  }
}

run "waits_longer" {
  command = plan

  variables {
    wait_for = 43200
  }

  assert {
    condition     = [for name in keys(jsondecode(aws_cloudformation_stack.this.template_body).Resources) : replace(name, "/[0-9a-f]{8}$/", "")] == ["Completion", "Handle", "Job", "Lookup"]
    error_message = "A wait condition should wait."
  }
}

run "looks_up" {
  command = plan

  variables {
    type       = "JobLookup"
    properties = { JobType = "DataProcessingJob", Job = "mycluster.cluster-abc123.us-east-1.neptune.amazonaws.com:8182/movies" }
  }

  assert {
    condition     = contains(keys(jsondecode(aws_cloudformation_stack.this.template_body).Outputs), "ProcessingJobName")
    error_message = "A lookup should have the attributes of the job's type."
  }

  assert {
    condition     = !contains(keys(jsondecode(aws_cloudformation_stack.this.template_body).Outputs), "EndpointName")
    error_message = "A lookup should have no others."
  }
}

run "refuses_an_unknown_property" {
  command = plan

  variables {
    properties = { Claen = true }
  }

  expect_failures = [var.properties]
}

run "refuses_an_unknown_type" {
  command = plan

  variables {
    type = "TransformJob"
  }

  expect_failures = [var.type]
}

run "refuses_to_wait_for_a_day" {
  command = plan

  variables {
    wait_for = 86400
  }

  expect_failures = [var.wait_for]
}
