// A stack for a model transform job that runs already.
//
//   npm install
//   npx cdk deploy --parameters JobId=movies-2026-01 \
//     --parameters Endpoint=mycluster.cluster-abc123.us-east-1.neptune.amazonaws.com

import { App, CfnOutput, CfnParameter, Duration, Fn, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { ModelTransformJob } from '../lib/model-transform-job';

/** Deleting this stack cancels the job. */
class MoviesStack extends Stack {
  constructor(scope: Construct, id: string) {
    super(scope, id, { description: 'Cancels a Neptune ML model transform job when it is deleted' });
    const jobId = new CfnParameter(this, 'JobId', {
      description: 'Id of the model transform job; it has to exist',
    });
    const endpoint = new CfnParameter(this, 'Endpoint', {
      description: 'The Neptune cluster, as host or host:port',
    });
    const job = new ModelTransformJob(this, 'TransformJob', {
      serviceToken: Fn.importValue('neptune-ml-provider-ServiceToken'),
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

new MoviesStack(new App(), 'movies');
