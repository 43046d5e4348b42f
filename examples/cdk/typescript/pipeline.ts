// A whole pipeline: from an exported graph to an endpoint. Deploy it with `npm install && npx cdk deploy`.
import { App, CfnOutput, CfnParameter, Duration, Stack } from 'aws-cdk-lib';
import * as ml from 'cdk-neptune-ml';

const stack = new Stack(new App(), 'movies-pipeline');
const parameter = (name: string, description: string) => new CfnParameter(stack, name, { description }).valueAsString;

const common = {
  provider: ml.NeptuneMlProvider.fromStackName(parameter('ProviderStack', 'Name of the stack of the provider')),
  endpoint: parameter('Endpoint', 'The Neptune cluster, as host or host:port'),
};
const exported = parameter('ExportLocation', 'The exported graph, as s3://bucket/folder');
const output = parameter('OutputLocation', 'Where the jobs put what they make, as s3://bucket/folder');

const data = new ml.NeptuneMlDataProcessingJob(stack, 'DataProcessingJob', {
  ...common,
  inputDataS3Location: ml.S3Location.fromUrl(exported),
  processedDataS3Location: ml.S3Location.fromUrl(`${output}/processed`),
  waitFor: Duration.hours(1),
});
const training = new ml.NeptuneMlModelTrainingJob(stack, 'TrainingJob', {
  ...common,
  dataProcessing: data,
  trainModelS3Location: ml.S3Location.fromUrl(`${output}/trained`),
  waitFor: Duration.hours(12),
});
const transform = new ml.NeptuneMlModelTransformJob(stack, 'TransformJob', {
  ...common,
  dataProcessing: data,
  modelTraining: training,
  modelTransformOutputS3Location: ml.S3Location.fromUrl(`${output}/transformed`),
  waitFor: Duration.hours(1),
});
const endpoint = new ml.NeptuneMlEndpoint(stack, 'InferenceEndpoint', {
  ...common,
  modelTransform: transform,
  waitFor: Duration.hours(1),
});
new CfnOutput(stack, 'ModelLocation', { value: training.outputLocation });
new CfnOutput(stack, 'EndpointId', { value: endpoint.jobId });
