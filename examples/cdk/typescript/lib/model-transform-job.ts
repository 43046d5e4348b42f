import { CustomResource, Duration, Fn } from 'aws-cdk-lib';
import { Construct } from 'constructs';

/** Where the code of a custom model is. */
export interface CustomModelTransformParameters {
  /** The S3 location of the Python module that implements the model. */
  readonly sourceS3DirectoryPath: string;
  /** The script of that module that computes the artifacts. Default: `transform.py`. */
  readonly transformEntryPointScript?: string;
}

export interface ModelTransformJobProps {
  /** The provider's function: the output `ServiceToken` of the provider's stack. */
  readonly serviceToken: string;
  /** The Neptune cluster, as host or host:port, such as `cluster.attrEndpoint`. */
  readonly endpoint: string;

  /** Where a job to be started puts its artifacts, `s3://bucket/folder`. */
  readonly modelTransformOutputS3Location?: string;
  /** The completed data processing job whose graph a job to be started transforms. */
  readonly dataProcessingJobId?: string;
  /** The completed model training job whose models it uses. */
  readonly mlModelTrainingJobId?: string;
  /** A completed SageMaker training job, in place of the two before. */
  readonly trainingJobName?: string;
  /** Role with which SageMaker runs it. Default: the cluster's. */
  readonly sagemakerIamRoleArn?: string;
  /** Instance that prepares it. Default: what Neptune recommends. */
  readonly baseProcessingInstanceType?: string;
  /** Size of that instance's disk. Default: what Neptune recommends. */
  readonly baseProcessingInstanceVolumeSizeInGB?: number;
  /** Ids of the subnets of the cluster's VPC in which it runs. */
  readonly subnets?: string[];
  /** Security groups with which it runs. */
  readonly securityGroupIds?: string[];
  /** Key with which SageMaker encrypts its disks. */
  readonly volumeEncryptionKMSKey?: string;
  /** Key with which SageMaker encrypts its artifacts. */
  readonly s3OutputEncryptionKMSKey?: string;
  /** Where the code of a custom model is. */
  readonly customModelTransformParameters?: CustomModelTransformParameters;

  /** Id of a job to adopt, which has to exist; then nothing that describes a job may be given. */
  readonly jobId?: string;

  /** Role that Neptune is to use. Default: the cluster's. */
  readonly neptuneIamRoleArn?: string;
  /** Whether a creation waits until the job has completed, and fails if it fails. Default: false. */
  readonly waitForCompletion?: boolean;
  /**
   * Handle of a wait condition that waits for the job, for up to 12 hours: `handle.ref`. It is signalled when the job has
   * completed; then leave `waitForCompletion` away.
   */
  readonly completionHandle?: string;
  /** Whether cancelling the job also deletes its artifacts. Default: false. */
  readonly clean?: boolean;
  /** Whether a deletion waits until the job has stopped. Default: true. */
  readonly waitForStop?: boolean;
  /** How long an operation may take, an hour at most. Default: an hour. */
  readonly serviceTimeout?: Duration;
}

/**
 * A Neptune ML model transform job that is cancelled when it goes from the stack.
 *
 * It is started with the resource, or, if `jobId` is given, was started elsewhere and is adopted.
 *
 * Give it dependencies on what the provider needs to start and to cancel the job, and on whatever else could fail, so
 * that it comes last and goes first: the cluster's instances and the rule that lets the provider's function in
 * (`job.node.addDependency(instance)`).
 */
export class ModelTransformJob extends Construct {
  /** Id of the job. */
  public readonly jobId: string;
  /** Its status when the stack was last updated. */
  public readonly status: string;
  /** Where its artifacts are; empty where Neptune names none. */
  public readonly outputLocation: string;
  /** Its SageMaker processing job, likewise. */
  public readonly baseProcessingJobArn: string;
  /** Its SageMaker transform job, likewise. */
  public readonly remoteModelTransformJobArn: string;
  /** The SageMaker models that it has made; one empty name where there are none. */
  public readonly modelNames: string[];
  /** Their ARNs, likewise. */
  public readonly modelArns: string[];

  constructor(scope: Construct, id: string, props: ModelTransformJobProps) {
    super(scope, id);
    const customModel = props.customModelTransformParameters;
    const resource = new CustomResource(this, 'Resource', {
      resourceType: 'Custom::NeptuneMLModelTransformJob',
      serviceToken: props.serviceToken,
      serviceTimeout: props.serviceTimeout,
      // The CDK leaves out what is undefined.
      properties: {
        Endpoint: props.endpoint,
        Id: props.jobId,
        ModelTransformOutputS3Location: props.modelTransformOutputS3Location,
        DataProcessingJobId: props.dataProcessingJobId,
        MlModelTrainingJobId: props.mlModelTrainingJobId,
        TrainingJobName: props.trainingJobName,
        SagemakerIamRoleArn: props.sagemakerIamRoleArn,
        BaseProcessingInstanceType: props.baseProcessingInstanceType,
        BaseProcessingInstanceVolumeSizeInGB: props.baseProcessingInstanceVolumeSizeInGB,
        Subnets: props.subnets,
        SecurityGroupIds: props.securityGroupIds,
        VolumeEncryptionKMSKey: props.volumeEncryptionKMSKey,
        S3OutputEncryptionKMSKey: props.s3OutputEncryptionKMSKey,
        CustomModelTransformParameters: customModel && {
          SourceS3DirectoryPath: customModel.sourceS3DirectoryPath,
          TransformEntryPointScript: customModel.transformEntryPointScript,
        },
        NeptuneIamRoleArn: props.neptuneIamRoleArn,
        WaitForCompletion: props.waitForCompletion,
        CompletionHandle: props.completionHandle,
        Clean: props.clean,
        WaitForStop: props.waitForStop,
      },
    });
    this.jobId = resource.getAttString('Id');
    this.status = resource.getAttString('Status');
    this.outputLocation = resource.getAttString('OutputLocation');
    this.baseProcessingJobArn = resource.getAttString('BaseProcessingJobArn');
    this.remoteModelTransformJobArn = resource.getAttString('RemoteModelTransformJobArn');
    this.modelNames = Fn.split(',', resource.getAttString('ModelNames'));
    this.modelArns = Fn.split(',', resource.getAttString('ModelArns'));
  }
}
