// Two stacks: `movies` starts a model transform job, `movies-existing` adopts one that was started elsewhere.
//
//   npm ci
//   npx --yes cdk deploy movies \
//     --parameters Endpoint=mycluster.cluster-abc123.us-east-1.neptune.amazonaws.com \
//     --parameters DataProcessingJobId=movies-data --parameters MlModelTrainingJobId=movies-model \
//     --parameters Artifacts=s3://mybucket/movies

import { App, CfnOutput, CfnParameter, Duration, Fn, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { ModelTransformJob } from '../lib/model-transform-job';

// The provider's stack has to be deployed with StartJobs=true, for the first of the two.
const provider = 'neptune-ml-provider-ServiceToken';

/** Creating this stack runs a job until it has completed; deleting the stack cancels it if it still runs. */
class MoviesStack extends Stack {
  constructor(scope: Construct, id: string) {
    super(scope, id, { description: 'Runs a Neptune ML model transform job' });
    const endpoint = new CfnParameter(this, 'Endpoint', {
      description: 'The Neptune cluster, as host or host:port',
    });
    const data = new CfnParameter(this, 'DataProcessingJobId', {
      description: 'Id of a completed data processing job',
    });
    const model = new CfnParameter(this, 'MlModelTrainingJobId', {
      description: 'Id of a completed model training job',
    });
    const artifacts = new CfnParameter(this, 'Artifacts', {
      description: 'Where to put the artifacts, as s3://bucket/folder',
    });
    const job = new ModelTransformJob(this, 'TransformJob', {
      serviceToken: Fn.importValue(provider),
      endpoint: endpoint.valueAsString,
      dataProcessingJobId: data.valueAsString,
      mlModelTrainingJobId: model.valueAsString,
      modelTransformOutputS3Location: artifacts.valueAsString,
      waitForCompletion: true,
    });
    new CfnOutput(this, 'JobId', {
      value: job.jobId,
      description: 'Id of the job, which the provider has made',
    });
    new CfnOutput(this, 'OutputLocation', {
      value: job.outputLocation,
      description: "Where the job's artifacts are",
    });
  }
}

/** Deleting this stack cancels a job that runs already when the stack is created. */
class ExistingJobStack extends Stack {
  constructor(scope: Construct, id: string) {
    super(scope, id, { description: 'Cancels a Neptune ML model transform job when it is deleted' });
    const endpoint = new CfnParameter(this, 'Endpoint', {
      description: 'The Neptune cluster, as host or host:port',
    });
    const jobId = new CfnParameter(this, 'JobId', {
      description: 'Id of the model transform job; it has to exist',
    });
    const job = new ModelTransformJob(this, 'TransformJob', {
      serviceToken: Fn.importValue(provider),
      endpoint: endpoint.valueAsString,
      jobId: jobId.valueAsString,
      clean: true,
      serviceTimeout: Duration.minutes(30),
    });
    new CfnOutput(this, 'OutputLocation', {
      value: job.outputLocation,
      description: "Where the job's artifacts are",
    });
  }
}

const app = new App();
new MoviesStack(app, 'movies');
new ExistingJobStack(app, 'movies-existing');
app.synth();
