// The TypeScript example's stacks, and one more in which a job has every property and every attribute.

import './app'; // synthesizes the example's own stacks
import { App, CfnOutput, Duration, Fn, Stack } from 'aws-cdk-lib';
import { ModelTransformJob } from '../lib/model-transform-job';

const every = new App({ outdir: `${process.env.CDK_OUTDIR}/every` });
const stack = new Stack(every, 'every');
const job = new ModelTransformJob(stack, 'Job', {
  serviceToken: 'token',
  endpoint: 'endpoint',
  modelTransformOutputS3Location: 'output',
  dataProcessingJobId: 'data',
  mlModelTrainingJobId: 'model',
  trainingJobName: 'training',
  sagemakerIamRoleArn: 'sagemaker-role',
  baseProcessingInstanceType: 'instance',
  baseProcessingInstanceVolumeSizeInGB: 7,
  subnets: ['subnet'],
  securityGroupIds: ['group'],
  volumeEncryptionKMSKey: 'volume-key',
  s3OutputEncryptionKMSKey: 'output-key',
  customModelTransformParameters: { sourceS3DirectoryPath: 'directory', transformEntryPointScript: 'script' },
  jobId: 'job',
  neptuneIamRoleArn: 'neptune-role',
  waitForCompletion: true,
  completionHandle: 'handle',
  clean: true,
  waitForStop: false,
  serviceTimeout: Duration.minutes(1),
});
const outputs = {
  Id: job.jobId,
  Status: job.status,
  OutputLocation: job.outputLocation,
  BaseProcessingJobArn: job.baseProcessingJobArn,
  RemoteModelTransformJobArn: job.remoteModelTransformJobArn,
  ModelNames: Fn.join(',', job.modelNames),
  ModelArns: Fn.join(',', job.modelArns),
};
for (const [name, value] of Object.entries(outputs)) {
  new CfnOutput(stack, name, { value });
}
every.synth();
