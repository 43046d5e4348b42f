// Two stacks: `movies` starts a model transform job, and `movies-existing` adopts one that was started elsewhere.
//
//   npm ci
//   npx --yes cdk deploy movies \
//     --parameters Endpoint=mycluster.cluster-abc123.us-east-1.neptune.amazonaws.com \
//     --parameters DataProcessingJobId=movies-data --parameters MlModelTrainingJobId=movies-model \
//     --parameters Artifacts=s3://mybucket/movies

import { App, CfnOutput, CfnParameter, Duration, Fn, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { ModelTransformJob } from '../lib/model-transform-job';

// To start jobs, the provider must be deployed with StartJobs=true.
const provider = 'neptune-ml-provider-ServiceToken';

/** Creating the stack runs a job until it has completed. Deleting the stack cancels it if it is still running. */
class MoviesStack extends Stack {
  constructor(scope: Construct, id: string) {
    super(scope, id, { description: 'Runs a Neptune ML model transform job' });
    const endpoint = new CfnParameter(this, 'Endpoint', {
      description: 'The Neptune cluster: host or host:port',
    });
    const data = new CfnParameter(this, 'DataProcessingJobId', {
      description: 'Id of a completed data processing job',
    });
    const model = new CfnParameter(this, 'MlModelTrainingJobId', {
      description: 'Id of a completed model training job',
    });
    const artifacts = new CfnParameter(this, 'Artifacts', {
      description: 'S3 location for the artifacts',
    });
    const job = new ModelTransformJob(this, 'TransformJob', {
      serviceToken: Fn.importValue(provider),
      endpoint: endpoint.valueAsString,
      dataProcessingJobId: data.valueAsString,
      mlModelTrainingJobId: model.valueAsString,
      modelTransformOutputS3Location: artifacts.valueAsString,
      waitForCompletion: true,
    });
    new CfnOutput(this, 'JobId', { value: job.getAttString('Id') });
    new CfnOutput(this, 'OutputLocation', { value: job.getAttString('OutputLocation') });
  }
}

/** Deleting the stack cancels a job that was started elsewhere. */
class ExistingJobStack extends Stack {
  constructor(scope: Construct, id: string) {
    super(scope, id, { description: 'Cancels a Neptune ML model transform job on deletion' });
    const endpoint = new CfnParameter(this, 'Endpoint', {
      description: 'The Neptune cluster: host or host:port',
    });
    const jobId = new CfnParameter(this, 'JobId', {
      description: 'Id of an existing model transform job',
    });
    const job = new ModelTransformJob(this, 'TransformJob', {
      serviceToken: Fn.importValue(provider),
      endpoint: endpoint.valueAsString,
      id: jobId.valueAsString,
      clean: true,
      serviceTimeout: Duration.minutes(30),
    });
    new CfnOutput(this, 'OutputLocation', { value: job.getAttString('OutputLocation') });
  }
}

const app = new App();
new MoviesStack(app, 'movies');
new ExistingJobStack(app, 'movies-existing');
app.synth();
