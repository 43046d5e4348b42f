// Written by `make docs`, from the provider's own definition.

import { Duration, Fn, Size } from 'aws-cdk-lib';
import { ISecurityGroup, ISubnet } from 'aws-cdk-lib/aws-ec2';
import { IRole } from 'aws-cdk-lib/aws-iam';
import { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { INeptuneMlProvider } from './provider';
import { ResourceType, declare, listOf, lookUp } from './resource';
import { INeptuneMlJob, NeptuneMlLookupOptions, S3Location } from './values';

// Among the properties of a construct that adopts: no caller can give it by mistake.
const ADOPTS = Symbol('adopts');

function dependOn(scope: Construct, job?: INeptuneMlJob): void {
  if (job instanceof Construct) {
    scope.node.addDependency(job);
  }
}

/**
 * The location of a custom model's code.
 */
export interface CustomModelTrainingParameters {
  /**
   * The S3 location of the Python module that implements the model.
   */
  readonly sourceS3DirectoryPath: S3Location;
  /**
   * The script in that module that trains the model.
   *
   * @default - `training.py`
   */
  readonly trainingEntryPointScript?: string;
  /**
   * The script in that module that computes the artifacts.
   *
   * @default - `transform.py`
   */
  readonly transformEntryPointScript?: string;
}

/**
 * The location of a custom model's code.
 */
export interface CustomModelTransformParameters {
  /**
   * The S3 location of the Python module that implements the model.
   */
  readonly sourceS3DirectoryPath: S3Location;
  /**
   * The script in that module that computes the artifacts.
   *
   * @default - `transform.py`
   */
  readonly transformEntryPointScript?: string;
}

const DataProcessingJob_TYPE: ResourceType = {
  "name": "Custom::NeptuneMLDataProcessingJob",
  "jobType": "DataProcessingJob",
  "thing": "job",
  "rules": {
    "Endpoint": {
      "should": "host, host:port or https://host:port, such as !GetAtt Cluster.Endpoint",
      "pattern": "^([Hh][Tt][Tt][Pp][Ss]?://)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?$"
    },
    "Id": {
      "should": "an ID as Neptune lists it, without whitespace, control characters or slashes",
      "pattern": "^(?!\\.{1,2}$)[^\\s/\\\\\\x00-\\x1f\\x7f]{1,1024}$"
    },
    "InputDataS3Location": {
      "should": "an S3 location, such as s3://bucket/folder",
      "pattern": "^s3://[A-Za-z0-9][A-Za-z0-9._-]+(/.*)?$"
    },
    "ProcessedDataS3Location": {
      "should": "an S3 location, such as s3://bucket/folder",
      "pattern": "^s3://[A-Za-z0-9][A-Za-z0-9._-]+(/.*)?$"
    },
    "PreviousDataProcessingJobId": {
      "should": "an ID as Neptune lists it, without whitespace, control characters or slashes",
      "pattern": "^(?!\\.{1,2}$)[^\\s/\\\\\\x00-\\x1f\\x7f]{1,1024}$"
    },
    "ProcessingInstanceType": {
      "should": "an Amazon SageMaker instance type, such as ml.r5.xlarge",
      "pattern": "^ml\\.\\S+$"
    },
    "ProcessingInstanceVolumeSizeInGB": {
      "should": "a whole number from 0 to 2147483647",
      "minimum": 0,
      "maximum": 2147483647
    },
    "ProcessingTimeOutInSeconds": {
      "should": "a whole number from 0 to 2147483647",
      "minimum": 0,
      "maximum": 2147483647
    },
    "SagemakerIamRoleArn": {
      "should": "the ARN of an IAM role, such as arn:aws:iam::123456789012:role/NeptuneML",
      "pattern": "^arn:aws[a-z-]*:iam::[0-9]{12}:role/\\S+$"
    },
    "NeptuneIamRoleArn": {
      "should": "the ARN of an IAM role, such as arn:aws:iam::123456789012:role/NeptuneML",
      "pattern": "^arn:aws[a-z-]*:iam::[0-9]{12}:role/\\S+$"
    }
  },
  "required": [
    "InputDataS3Location",
    "ProcessedDataS3Location"
  ],
  "either": []
};

/**
 * What every NeptuneMlDataProcessingJob may be given.
 */
export interface NeptuneMlDataProcessingJobOptions {
  /**
   * The provider: `NeptuneMlProvider`.
   */
  readonly provider: INeptuneMlProvider;
  /**
   * The Neptune cluster: `host` or `host:port`, such as `cluster.attrEndpoint`.
   */
  readonly endpoint: string;
  /**
   * For how long a creation or a replacement waits until the job has completed: at most 12 hours.
   *
   * @default - the creation does not wait
   */
  readonly waitFor?: Duration;
  /**
   * The IAM role that Neptune uses to access SageMaker and Amazon S3.
   *
   * @default - the role set in the cluster's parameter group
   */
  readonly neptuneRole?: IRole;
  /**
   * Whether Neptune also deletes the job's artifacts in Amazon S3 when the job is cancelled. If the job has already ended, this is up to Neptune.
   *
   * @default false
   */
  readonly clean?: boolean;
  /**
   * Whether a deletion waits until the job has stopped. If `false`, it succeeds when Neptune accepts the request.
   *
   * @default true
   */
  readonly waitForStop?: boolean;
  /**
   * The maximum duration of an operation. A deletion fails if the job has not stopped by then; you can retry it. A creation that waits fails if the job has not completed by then.
   *
   * @default - one hour
   */
  readonly serviceTimeout?: Duration;
}

/**
 * Describes a job to be started.
 */
export interface NeptuneMlDataProcessingJobProps extends NeptuneMlDataProcessingJobOptions {
  /**
   * The S3 location of the exported graph, such as `s3://bucket/folder`.
   */
  readonly inputDataS3Location: S3Location;
  /**
   * The S3 location for the processed data, such as `s3://bucket/folder`.
   */
  readonly processedDataS3Location: S3Location;
  /**
   * A completed data processing job that processed an earlier version of the data.
   *
   * @default - none
   */
  readonly previousDataProcessing?: INeptuneMlJob;
  /**
   * The model type: `heterogeneous` or `kge`.
   *
   * @default - depends on the data
   */
  readonly modelType?: string;
  /**
   * The file that specifies how to load the exported data for training.
   *
   * @default - `training-data-configuration.json`
   */
  readonly configFileName?: string;
  /**
   * The type of the ML instance, such as `ml.r5.4xlarge`.
   *
   * @default - the smallest `ml.r5` type whose memory is ten times the size of the exported data
   */
  readonly processingInstanceType?: string;
  /**
   * The volume size of the ML instance.
   *
   * @default - depends on the size of the data
   */
  readonly processingInstanceVolumeSize?: Size;
  /**
   * The job's timeout.
   *
   * @default - `86400` (one day)
   */
  readonly processingTimeOut?: Duration;
  /**
   * The IAM role that SageMaker uses to run the job.
   *
   * @default - the role set in the cluster's parameter group
   */
  readonly sagemakerRole?: IRole;
  /**
   * The job's subnets, in the cluster's VPC.
   *
   * @default - none
   */
  readonly subnets?: ISubnet[];
  /**
   * The job's security groups.
   *
   * @default - none
   */
  readonly securityGroups?: ISecurityGroup[];
  /**
   * The KMS key that encrypts the volumes of the ML instances.
   *
   * @default - none
   */
  readonly volumeEncryptionKmsKey?: IKey;
  /**
   * The KMS key that encrypts the job's artifacts in Amazon S3.
   *
   * @default - none
   */
  readonly s3OutputEncryptionKmsKey?: IKey;
}

/**
 * An Amazon Neptune ML data processing job, with its attributes.
 */
export interface INeptuneMlDataProcessingJob extends INeptuneMlJob {
  /**
   * The status of the job.
   */
  readonly status: string;
  /**
   * The S3 URL of the processed data.
   */
  readonly outputLocation: string;
  /**
   * The ARN of the SageMaker processing job.
   */
  readonly processingJobArn: string;
  /**
   * The name of the SageMaker processing job.
   */
  readonly processingJobName: string;
}

/**
 * An Amazon Neptune ML data processing job, which is cancelled when it goes from the stack.
 */
export class NeptuneMlDataProcessingJob extends Construct implements INeptuneMlDataProcessingJob {
  /**
   * Adopts a job that exists: it, too, is cancelled when it goes from the stack.
   */
  public static fromJobId(scope: Construct, id: string, jobId: string, options: NeptuneMlDataProcessingJobOptions): NeptuneMlDataProcessingJob {
    return new NeptuneMlDataProcessingJob(scope, id, { ...options, [ADOPTS]: jobId } as unknown as NeptuneMlDataProcessingJobProps);
  }

  /**
   * Reads a job that exists, and does not cancel it.
   */
  public static lookUp(scope: Construct, id: string, jobId: string, options: NeptuneMlLookupOptions): INeptuneMlDataProcessingJob {
    const attribute = lookUp(scope, id, DataProcessingJob_TYPE, options, jobId);
    return {
      jobId: attribute('Id'),
      status: attribute('Status'),
      outputLocation: attribute('OutputLocation'),
      processingJobArn: attribute('ProcessingJobArn'),
      processingJobName: attribute('ProcessingJobName'),
    };
  }

  public readonly jobId: string;
  /**
   * The status of the job.
   */
  public readonly status: string;
  /**
   * The S3 URL of the processed data.
   */
  public readonly outputLocation: string;
  /**
   * The ARN of the SageMaker processing job.
   */
  public readonly processingJobArn: string;
  /**
   * The name of the SageMaker processing job.
   */
  public readonly processingJobName: string;

  constructor(scope: Construct, id: string, props: NeptuneMlDataProcessingJobProps) {
    super(scope, id);
    const adopts = (props as any)[ADOPTS];
    const attribute = declare(this, DataProcessingJob_TYPE, props, {
      Endpoint: props.endpoint,
      Id: adopts,
      InputDataS3Location: props.inputDataS3Location?.url,
      ProcessedDataS3Location: props.processedDataS3Location?.url,
      PreviousDataProcessingJobId: props.previousDataProcessing?.jobId,
      ModelType: props.modelType,
      ConfigFileName: props.configFileName,
      ProcessingInstanceType: props.processingInstanceType,
      ProcessingInstanceVolumeSizeInGB: props.processingInstanceVolumeSize?.toGibibytes(),
      ProcessingTimeOutInSeconds: props.processingTimeOut?.toSeconds(),
      SagemakerIamRoleArn: props.sagemakerRole?.roleArn,
      Subnets: listOf('subnets', props.subnets, 'subnetId'),
      SecurityGroupIds: listOf('securityGroups', props.securityGroups, 'securityGroupId'),
      VolumeEncryptionKMSKey: props.volumeEncryptionKmsKey?.keyArn,
      S3OutputEncryptionKMSKey: props.s3OutputEncryptionKmsKey?.keyArn,
    }, {
      NeptuneIamRoleArn: props.neptuneRole?.roleArn,
      Clean: props.clean,
      WaitForStop: props.waitForStop,
    });
    dependOn(this, props.previousDataProcessing);
    this.jobId = attribute('Id');
    this.status = attribute('Status');
    this.outputLocation = attribute('OutputLocation');
    this.processingJobArn = attribute('ProcessingJobArn');
    this.processingJobName = attribute('ProcessingJobName');
  }
}

const ModelTrainingJob_TYPE: ResourceType = {
  "name": "Custom::NeptuneMLModelTrainingJob",
  "jobType": "ModelTrainingJob",
  "thing": "job",
  "rules": {
    "Endpoint": {
      "should": "host, host:port or https://host:port, such as !GetAtt Cluster.Endpoint",
      "pattern": "^([Hh][Tt][Tt][Pp][Ss]?://)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?$"
    },
    "Id": {
      "should": "an ID as Neptune lists it, without whitespace, control characters or slashes",
      "pattern": "^(?!\\.{1,2}$)[^\\s/\\\\\\x00-\\x1f\\x7f]{1,1024}$"
    },
    "DataProcessingJobId": {
      "should": "an ID as Neptune lists it, without whitespace, control characters or slashes",
      "pattern": "^(?!\\.{1,2}$)[^\\s/\\\\\\x00-\\x1f\\x7f]{1,1024}$"
    },
    "TrainModelS3Location": {
      "should": "an S3 location, such as s3://bucket/folder",
      "pattern": "^s3://[A-Za-z0-9][A-Za-z0-9._-]+(/.*)?$"
    },
    "PreviousModelTrainingJobId": {
      "should": "an ID as Neptune lists it, without whitespace, control characters or slashes",
      "pattern": "^(?!\\.{1,2}$)[^\\s/\\\\\\x00-\\x1f\\x7f]{1,1024}$"
    },
    "BaseProcessingInstanceType": {
      "should": "an Amazon SageMaker instance type, such as ml.r5.xlarge",
      "pattern": "^ml\\.\\S+$"
    },
    "TrainingInstanceType": {
      "should": "an Amazon SageMaker instance type, such as ml.r5.xlarge",
      "pattern": "^ml\\.\\S+$"
    },
    "TrainingInstanceVolumeSizeInGB": {
      "should": "a whole number from 0 to 2147483647",
      "minimum": 0,
      "maximum": 2147483647
    },
    "TrainingTimeOutInSeconds": {
      "should": "a whole number from 0 to 2147483647",
      "minimum": 0,
      "maximum": 2147483647
    },
    "MaxHPONumberOfTrainingJobs": {
      "should": "a whole number from 0 to 2147483647",
      "minimum": 0,
      "maximum": 2147483647
    },
    "MaxHPOParallelTrainingJobs": {
      "should": "a whole number from 0 to 2147483647",
      "minimum": 0,
      "maximum": 2147483647
    },
    "SagemakerIamRoleArn": {
      "should": "the ARN of an IAM role, such as arn:aws:iam::123456789012:role/NeptuneML",
      "pattern": "^arn:aws[a-z-]*:iam::[0-9]{12}:role/\\S+$"
    },
    "NeptuneIamRoleArn": {
      "should": "the ARN of an IAM role, such as arn:aws:iam::123456789012:role/NeptuneML",
      "pattern": "^arn:aws[a-z-]*:iam::[0-9]{12}:role/\\S+$"
    }
  },
  "required": [
    "DataProcessingJobId",
    "TrainModelS3Location"
  ],
  "either": []
};

/**
 * What every NeptuneMlModelTrainingJob may be given.
 */
export interface NeptuneMlModelTrainingJobOptions {
  /**
   * The provider: `NeptuneMlProvider`.
   */
  readonly provider: INeptuneMlProvider;
  /**
   * The Neptune cluster: `host` or `host:port`, such as `cluster.attrEndpoint`.
   */
  readonly endpoint: string;
  /**
   * For how long a creation or a replacement waits until the job has completed: at most 12 hours.
   *
   * @default - the creation does not wait
   */
  readonly waitFor?: Duration;
  /**
   * The IAM role that Neptune uses to access SageMaker and Amazon S3.
   *
   * @default - the role set in the cluster's parameter group
   */
  readonly neptuneRole?: IRole;
  /**
   * Whether Neptune also deletes the job's artifacts in Amazon S3 when the job is cancelled. If the job has already ended, this is up to Neptune.
   *
   * @default false
   */
  readonly clean?: boolean;
  /**
   * Whether a deletion waits until the job has stopped. If `false`, it succeeds when Neptune accepts the request.
   *
   * @default true
   */
  readonly waitForStop?: boolean;
  /**
   * The maximum duration of an operation. A deletion fails if the job has not stopped by then; you can retry it. A creation that waits fails if the job has not completed by then.
   *
   * @default - one hour
   */
  readonly serviceTimeout?: Duration;
}

/**
 * Describes a job to be started.
 */
export interface NeptuneMlModelTrainingJobProps extends NeptuneMlModelTrainingJobOptions {
  /**
   * The completed data processing job that prepared the training data.
   */
  readonly dataProcessing: INeptuneMlJob;
  /**
   * The S3 location for the model's artifacts, such as `s3://bucket/folder`.
   */
  readonly trainModelS3Location: S3Location;
  /**
   * A completed model training job whose models this job updates with newer data.
   *
   * @default - none
   */
  readonly previousModelTraining?: INeptuneMlJob;
  /**
   * The type of the ML instance that prepares and manages training, such as `ml.r5.xlarge`.
   *
   * @default - Neptune's recommendation for the graph's size
   */
  readonly baseProcessingInstanceType?: string;
  /**
   * The type of the ML instances for training.
   *
   * @default - `ml.p3.2xlarge`
   */
  readonly trainingInstanceType?: string;
  /**
   * The volume size of the training instances.
   *
   * @default - Neptune's recommendation for the graph's size
   */
  readonly trainingInstanceVolumeSize?: Size;
  /**
   * The timeout of each training job.
   *
   * @default - `86400` (one day)
   */
  readonly trainingTimeOut?: Duration;
  /**
   * The maximum number of training jobs for hyperparameter tuning. For a good model, use at least 10.
   *
   * @default - `2`
   */
  readonly maxHpoNumberOfTrainingJobs?: number;
  /**
   * The maximum number of parallel training jobs for hyperparameter tuning.
   *
   * @default - `2`
   */
  readonly maxHpoParallelTrainingJobs?: number;
  /**
   * Whether training uses Spot Instances.
   *
   * @default - `false`
   */
  readonly enableManagedSpotTraining?: boolean;
  /**
   * The location of a custom model's code.
   *
   * @default - none
   */
  readonly customModelTrainingParameters?: CustomModelTrainingParameters;
  /**
   * The IAM role that SageMaker uses to run the job.
   *
   * @default - the role set in the cluster's parameter group
   */
  readonly sagemakerRole?: IRole;
  /**
   * The job's subnets, in the cluster's VPC.
   *
   * @default - none
   */
  readonly subnets?: ISubnet[];
  /**
   * The job's security groups.
   *
   * @default - none
   */
  readonly securityGroups?: ISecurityGroup[];
  /**
   * The KMS key that encrypts the volumes of the ML instances.
   *
   * @default - none
   */
  readonly volumeEncryptionKmsKey?: IKey;
  /**
   * The KMS key that encrypts the job's artifacts in Amazon S3.
   *
   * @default - none
   */
  readonly s3OutputEncryptionKmsKey?: IKey;
}

/**
 * An Amazon Neptune ML model training job, with its attributes.
 */
export interface INeptuneMlModelTrainingJob extends INeptuneMlJob {
  /**
   * The status of the job.
   */
  readonly status: string;
  /**
   * The S3 URL of the job's artifacts.
   */
  readonly outputLocation: string;
  /**
   * The ARN of the SageMaker processing job.
   */
  readonly processingJobArn: string;
  /**
   * The ARN of the SageMaker hyperparameter tuning job.
   */
  readonly hpoJobArn: string;
  /**
   * The ARN of the SageMaker job that computes the model's artifacts.
   */
  readonly modelTransformJobArn: string;
  /**
   * The names of the resulting SageMaker models.
   */
  readonly modelNames: string[];
  /**
   * The ARNs of those models.
   */
  readonly modelArns: string[];
}

/**
 * An Amazon Neptune ML model training job, which is cancelled when it goes from the stack.
 */
export class NeptuneMlModelTrainingJob extends Construct implements INeptuneMlModelTrainingJob {
  /**
   * Adopts a job that exists: it, too, is cancelled when it goes from the stack.
   */
  public static fromJobId(scope: Construct, id: string, jobId: string, options: NeptuneMlModelTrainingJobOptions): NeptuneMlModelTrainingJob {
    return new NeptuneMlModelTrainingJob(scope, id, { ...options, [ADOPTS]: jobId } as unknown as NeptuneMlModelTrainingJobProps);
  }

  /**
   * Reads a job that exists, and does not cancel it.
   */
  public static lookUp(scope: Construct, id: string, jobId: string, options: NeptuneMlLookupOptions): INeptuneMlModelTrainingJob {
    const attribute = lookUp(scope, id, ModelTrainingJob_TYPE, options, jobId);
    return {
      jobId: attribute('Id'),
      status: attribute('Status'),
      outputLocation: attribute('OutputLocation'),
      processingJobArn: attribute('ProcessingJobArn'),
      hpoJobArn: attribute('HpoJobArn'),
      modelTransformJobArn: attribute('ModelTransformJobArn'),
      modelNames: Fn.split(',', attribute('ModelNames')),
      modelArns: Fn.split(',', attribute('ModelArns')),
    };
  }

  public readonly jobId: string;
  /**
   * The status of the job.
   */
  public readonly status: string;
  /**
   * The S3 URL of the job's artifacts.
   */
  public readonly outputLocation: string;
  /**
   * The ARN of the SageMaker processing job.
   */
  public readonly processingJobArn: string;
  /**
   * The ARN of the SageMaker hyperparameter tuning job.
   */
  public readonly hpoJobArn: string;
  /**
   * The ARN of the SageMaker job that computes the model's artifacts.
   */
  public readonly modelTransformJobArn: string;
  /**
   * The names of the resulting SageMaker models.
   */
  public readonly modelNames: string[];
  /**
   * The ARNs of those models.
   */
  public readonly modelArns: string[];

  constructor(scope: Construct, id: string, props: NeptuneMlModelTrainingJobProps) {
    super(scope, id);
    const adopts = (props as any)[ADOPTS];
    const attribute = declare(this, ModelTrainingJob_TYPE, props, {
      Endpoint: props.endpoint,
      Id: adopts,
      DataProcessingJobId: props.dataProcessing?.jobId,
      TrainModelS3Location: props.trainModelS3Location?.url,
      PreviousModelTrainingJobId: props.previousModelTraining?.jobId,
      BaseProcessingInstanceType: props.baseProcessingInstanceType,
      TrainingInstanceType: props.trainingInstanceType,
      TrainingInstanceVolumeSizeInGB: props.trainingInstanceVolumeSize?.toGibibytes(),
      TrainingTimeOutInSeconds: props.trainingTimeOut?.toSeconds(),
      MaxHPONumberOfTrainingJobs: props.maxHpoNumberOfTrainingJobs,
      MaxHPOParallelTrainingJobs: props.maxHpoParallelTrainingJobs,
      EnableManagedSpotTraining: props.enableManagedSpotTraining,
      CustomModelTrainingParameters: props.customModelTrainingParameters && { SourceS3DirectoryPath: props.customModelTrainingParameters.sourceS3DirectoryPath?.url, TrainingEntryPointScript: props.customModelTrainingParameters.trainingEntryPointScript, TransformEntryPointScript: props.customModelTrainingParameters.transformEntryPointScript },
      SagemakerIamRoleArn: props.sagemakerRole?.roleArn,
      Subnets: listOf('subnets', props.subnets, 'subnetId'),
      SecurityGroupIds: listOf('securityGroups', props.securityGroups, 'securityGroupId'),
      VolumeEncryptionKMSKey: props.volumeEncryptionKmsKey?.keyArn,
      S3OutputEncryptionKMSKey: props.s3OutputEncryptionKmsKey?.keyArn,
    }, {
      NeptuneIamRoleArn: props.neptuneRole?.roleArn,
      Clean: props.clean,
      WaitForStop: props.waitForStop,
    });
    dependOn(this, props.dataProcessing);
    dependOn(this, props.previousModelTraining);
    this.jobId = attribute('Id');
    this.status = attribute('Status');
    this.outputLocation = attribute('OutputLocation');
    this.processingJobArn = attribute('ProcessingJobArn');
    this.hpoJobArn = attribute('HpoJobArn');
    this.modelTransformJobArn = attribute('ModelTransformJobArn');
    this.modelNames = Fn.split(',', attribute('ModelNames'));
    this.modelArns = Fn.split(',', attribute('ModelArns'));
  }
}

const ModelTransformJob_TYPE: ResourceType = {
  "name": "Custom::NeptuneMLModelTransformJob",
  "jobType": "ModelTransformJob",
  "thing": "job",
  "rules": {
    "Endpoint": {
      "should": "host, host:port or https://host:port, such as !GetAtt Cluster.Endpoint",
      "pattern": "^([Hh][Tt][Tt][Pp][Ss]?://)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?$"
    },
    "Id": {
      "should": "an ID as Neptune lists it, without whitespace, control characters or slashes",
      "pattern": "^(?!\\.{1,2}$)[^\\s/\\\\\\x00-\\x1f\\x7f]{1,1024}$"
    },
    "ModelTransformOutputS3Location": {
      "should": "an S3 location, such as s3://bucket/folder",
      "pattern": "^s3://[A-Za-z0-9][A-Za-z0-9._-]+(/.*)?$"
    },
    "DataProcessingJobId": {
      "should": "an ID as Neptune lists it, without whitespace, control characters or slashes",
      "pattern": "^(?!\\.{1,2}$)[^\\s/\\\\\\x00-\\x1f\\x7f]{1,1024}$"
    },
    "MlModelTrainingJobId": {
      "should": "an ID as Neptune lists it, without whitespace, control characters or slashes",
      "pattern": "^(?!\\.{1,2}$)[^\\s/\\\\\\x00-\\x1f\\x7f]{1,1024}$"
    },
    "SagemakerIamRoleArn": {
      "should": "the ARN of an IAM role, such as arn:aws:iam::123456789012:role/NeptuneML",
      "pattern": "^arn:aws[a-z-]*:iam::[0-9]{12}:role/\\S+$"
    },
    "BaseProcessingInstanceType": {
      "should": "an Amazon SageMaker instance type, such as ml.r5.xlarge",
      "pattern": "^ml\\.\\S+$"
    },
    "BaseProcessingInstanceVolumeSizeInGB": {
      "should": "a whole number from 0 to 2147483647",
      "minimum": 0,
      "maximum": 2147483647
    },
    "NeptuneIamRoleArn": {
      "should": "the ARN of an IAM role, such as arn:aws:iam::123456789012:role/NeptuneML",
      "pattern": "^arn:aws[a-z-]*:iam::[0-9]{12}:role/\\S+$"
    }
  },
  "required": [
    "ModelTransformOutputS3Location"
  ],
  "either": [
    [
      "DataProcessingJobId",
      "MlModelTrainingJobId"
    ],
    [
      "TrainingJobName"
    ]
  ]
};

/**
 * What every NeptuneMlModelTransformJob may be given.
 */
export interface NeptuneMlModelTransformJobOptions {
  /**
   * The provider: `NeptuneMlProvider`.
   */
  readonly provider: INeptuneMlProvider;
  /**
   * The Neptune cluster: `host` or `host:port`, such as `cluster.attrEndpoint`.
   */
  readonly endpoint: string;
  /**
   * For how long a creation or a replacement waits until the job has completed: at most 12 hours.
   *
   * @default - the creation does not wait
   */
  readonly waitFor?: Duration;
  /**
   * The IAM role that Neptune uses to access SageMaker and Amazon S3.
   *
   * @default - the role set in the cluster's parameter group
   */
  readonly neptuneRole?: IRole;
  /**
   * Whether Neptune also deletes the job's artifacts in Amazon S3 when the job is cancelled. If the job has already ended, this is up to Neptune.
   *
   * @default false
   */
  readonly clean?: boolean;
  /**
   * Whether a deletion waits until the job has stopped. If `false`, it succeeds when Neptune accepts the request.
   *
   * @default true
   */
  readonly waitForStop?: boolean;
  /**
   * The maximum duration of an operation. A deletion fails if the job has not stopped by then; you can retry it. A creation that waits fails if the job has not completed by then.
   *
   * @default - one hour
   */
  readonly serviceTimeout?: Duration;
}

/**
 * Describes a job to be started.
 */
export interface NeptuneMlModelTransformJobProps extends NeptuneMlModelTransformJobOptions {
  /**
   * The S3 location for the job's artifacts, such as `s3://bucket/folder`.
   */
  readonly modelTransformOutputS3Location: S3Location;
  /**
   * The completed data processing job that prepared the graph. Requires `MlModelTrainingJobId`.
   *
   * @default - none
   */
  readonly dataProcessing?: INeptuneMlJob;
  /**
   * The completed model training job whose models this job uses. Requires `DataProcessingJobId`.
   *
   * @default - none
   */
  readonly modelTraining?: INeptuneMlJob;
  /**
   * The name of a completed SageMaker training job, instead of the IDs of the two Neptune ML jobs.
   *
   * @default - none
   */
  readonly trainingJobName?: string;
  /**
   * The IAM role that SageMaker uses to run the job.
   *
   * @default - the role set in the cluster's parameter group
   */
  readonly sagemakerRole?: IRole;
  /**
   * The type of the ML instance that prepares the job, such as `ml.r5.4xlarge`.
   *
   * @default - Neptune's recommendation for the graph's size
   */
  readonly baseProcessingInstanceType?: string;
  /**
   * The volume size of that ML instance.
   *
   * @default - Neptune's recommendation for the graph's size
   */
  readonly baseProcessingInstanceVolumeSize?: Size;
  /**
   * The job's subnets, in the cluster's VPC.
   *
   * @default - none
   */
  readonly subnets?: ISubnet[];
  /**
   * The job's security groups.
   *
   * @default - none
   */
  readonly securityGroups?: ISecurityGroup[];
  /**
   * The KMS key that encrypts the volumes of the ML instances.
   *
   * @default - none
   */
  readonly volumeEncryptionKmsKey?: IKey;
  /**
   * The KMS key that encrypts the job's artifacts in Amazon S3.
   *
   * @default - none
   */
  readonly s3OutputEncryptionKmsKey?: IKey;
  /**
   * The location of a custom model's code.
   *
   * @default - none
   */
  readonly customModelTransformParameters?: CustomModelTransformParameters;
}

/**
 * An Amazon Neptune ML model transform job, with its attributes.
 */
export interface INeptuneMlModelTransformJob extends INeptuneMlJob {
  /**
   * The status of the job.
   */
  readonly status: string;
  /**
   * The S3 URL of the job's artifacts.
   */
  readonly outputLocation: string;
  /**
   * The ARN of the SageMaker processing job.
   */
  readonly baseProcessingJobArn: string;
  /**
   * The ARN of the SageMaker transform job.
   */
  readonly remoteModelTransformJobArn: string;
  /**
   * The names of the resulting SageMaker models.
   */
  readonly modelNames: string[];
  /**
   * The ARNs of those models.
   */
  readonly modelArns: string[];
}

/**
 * An Amazon Neptune ML model transform job, which is cancelled when it goes from the stack.
 */
export class NeptuneMlModelTransformJob extends Construct implements INeptuneMlModelTransformJob {
  /**
   * Adopts a job that exists: it, too, is cancelled when it goes from the stack.
   */
  public static fromJobId(scope: Construct, id: string, jobId: string, options: NeptuneMlModelTransformJobOptions): NeptuneMlModelTransformJob {
    return new NeptuneMlModelTransformJob(scope, id, { ...options, [ADOPTS]: jobId } as unknown as NeptuneMlModelTransformJobProps);
  }

  /**
   * Reads a job that exists, and does not cancel it.
   */
  public static lookUp(scope: Construct, id: string, jobId: string, options: NeptuneMlLookupOptions): INeptuneMlModelTransformJob {
    const attribute = lookUp(scope, id, ModelTransformJob_TYPE, options, jobId);
    return {
      jobId: attribute('Id'),
      status: attribute('Status'),
      outputLocation: attribute('OutputLocation'),
      baseProcessingJobArn: attribute('BaseProcessingJobArn'),
      remoteModelTransformJobArn: attribute('RemoteModelTransformJobArn'),
      modelNames: Fn.split(',', attribute('ModelNames')),
      modelArns: Fn.split(',', attribute('ModelArns')),
    };
  }

  public readonly jobId: string;
  /**
   * The status of the job.
   */
  public readonly status: string;
  /**
   * The S3 URL of the job's artifacts.
   */
  public readonly outputLocation: string;
  /**
   * The ARN of the SageMaker processing job.
   */
  public readonly baseProcessingJobArn: string;
  /**
   * The ARN of the SageMaker transform job.
   */
  public readonly remoteModelTransformJobArn: string;
  /**
   * The names of the resulting SageMaker models.
   */
  public readonly modelNames: string[];
  /**
   * The ARNs of those models.
   */
  public readonly modelArns: string[];

  constructor(scope: Construct, id: string, props: NeptuneMlModelTransformJobProps) {
    super(scope, id);
    const adopts = (props as any)[ADOPTS];
    const attribute = declare(this, ModelTransformJob_TYPE, props, {
      Endpoint: props.endpoint,
      Id: adopts,
      ModelTransformOutputS3Location: props.modelTransformOutputS3Location?.url,
      DataProcessingJobId: props.dataProcessing?.jobId,
      MlModelTrainingJobId: props.modelTraining?.jobId,
      TrainingJobName: props.trainingJobName,
      SagemakerIamRoleArn: props.sagemakerRole?.roleArn,
      BaseProcessingInstanceType: props.baseProcessingInstanceType,
      BaseProcessingInstanceVolumeSizeInGB: props.baseProcessingInstanceVolumeSize?.toGibibytes(),
      Subnets: listOf('subnets', props.subnets, 'subnetId'),
      SecurityGroupIds: listOf('securityGroups', props.securityGroups, 'securityGroupId'),
      VolumeEncryptionKMSKey: props.volumeEncryptionKmsKey?.keyArn,
      S3OutputEncryptionKMSKey: props.s3OutputEncryptionKmsKey?.keyArn,
      CustomModelTransformParameters: props.customModelTransformParameters && { SourceS3DirectoryPath: props.customModelTransformParameters.sourceS3DirectoryPath?.url, TransformEntryPointScript: props.customModelTransformParameters.transformEntryPointScript },
    }, {
      NeptuneIamRoleArn: props.neptuneRole?.roleArn,
      Clean: props.clean,
      WaitForStop: props.waitForStop,
    });
    dependOn(this, props.dataProcessing);
    dependOn(this, props.modelTraining);
    this.jobId = attribute('Id');
    this.status = attribute('Status');
    this.outputLocation = attribute('OutputLocation');
    this.baseProcessingJobArn = attribute('BaseProcessingJobArn');
    this.remoteModelTransformJobArn = attribute('RemoteModelTransformJobArn');
    this.modelNames = Fn.split(',', attribute('ModelNames'));
    this.modelArns = Fn.split(',', attribute('ModelArns'));
  }
}

const Endpoint_TYPE: ResourceType = {
  "name": "Custom::NeptuneMLEndpoint",
  "jobType": "Endpoint",
  "thing": "endpoint",
  "rules": {
    "Endpoint": {
      "should": "host, host:port or https://host:port, such as !GetAtt Cluster.Endpoint",
      "pattern": "^([Hh][Tt][Tt][Pp][Ss]?://)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?$"
    },
    "Id": {
      "should": "an ID as Neptune lists it, without whitespace, control characters or slashes",
      "pattern": "^(?!\\.{1,2}$)[^\\s/\\\\\\x00-\\x1f\\x7f]{1,1024}$"
    },
    "MlModelTrainingJobId": {
      "should": "an ID as Neptune lists it, without whitespace, control characters or slashes",
      "pattern": "^(?!\\.{1,2}$)[^\\s/\\\\\\x00-\\x1f\\x7f]{1,1024}$"
    },
    "MlModelTransformJobId": {
      "should": "an ID as Neptune lists it, without whitespace, control characters or slashes",
      "pattern": "^(?!\\.{1,2}$)[^\\s/\\\\\\x00-\\x1f\\x7f]{1,1024}$"
    },
    "InstanceType": {
      "should": "an Amazon SageMaker instance type, such as ml.r5.xlarge",
      "pattern": "^ml\\.\\S+$"
    },
    "InstanceCount": {
      "should": "a whole number from 1 to 2147483647",
      "minimum": 1,
      "maximum": 2147483647
    },
    "NeptuneIamRoleArn": {
      "should": "the ARN of an IAM role, such as arn:aws:iam::123456789012:role/NeptuneML",
      "pattern": "^arn:aws[a-z-]*:iam::[0-9]{12}:role/\\S+$"
    }
  },
  "required": [],
  "either": [
    [
      "MlModelTrainingJobId"
    ],
    [
      "MlModelTransformJobId"
    ]
  ]
};

/**
 * What every NeptuneMlEndpoint may be given.
 */
export interface NeptuneMlEndpointOptions {
  /**
   * The provider: `NeptuneMlProvider`.
   */
  readonly provider: INeptuneMlProvider;
  /**
   * The Neptune cluster: `host` or `host:port`, such as `cluster.attrEndpoint`.
   */
  readonly endpoint: string;
  /**
   * For how long a creation or a replacement waits until the endpoint is in service: at most 12 hours.
   *
   * @default - the creation does not wait
   */
  readonly waitFor?: Duration;
  /**
   * The IAM role that Neptune uses to access SageMaker and Amazon S3.
   *
   * @default - the role set in the cluster's parameter group
   */
  readonly neptuneRole?: IRole;
  /**
   * Whether Neptune also deletes the endpoint's artifacts in Amazon S3 when the endpoint is deleted. If the endpoint has already ended, this is up to Neptune.
   *
   * @default false
   */
  readonly clean?: boolean;
  /**
   * Whether a deletion waits until the endpoint is gone. If `false`, it succeeds when Neptune accepts the request.
   *
   * @default true
   */
  readonly waitForStop?: boolean;
  /**
   * The maximum duration of an operation. A deletion fails if the endpoint is not gone by then; you can retry it. A creation that waits fails if the endpoint is not in service by then.
   *
   * @default - one hour
   */
  readonly serviceTimeout?: Duration;
}

/**
 * Describes an endpoint to be created.
 */
export interface NeptuneMlEndpointProps extends NeptuneMlEndpointOptions {
  /**
   * The completed model training job whose model the endpoint serves.
   *
   * @default - none
   */
  readonly modelTraining?: INeptuneMlJob;
  /**
   * The completed model transform job whose model the endpoint serves.
   *
   * @default - none
   */
  readonly modelTransform?: INeptuneMlJob;
  /**
   * The model type: `rgcn` for a heterogeneous graph; `kge`, `transe`, `distmult` or `rotate` for a knowledge graph.
   *
   * @default - `rgcn` or `kge`, depending on the data
   */
  readonly modelName?: string;
  /**
   * The type of the ML instances.
   *
   * @default - `ml.m5.xlarge`
   */
  readonly instanceType?: string;
  /**
   * The minimum number of ML instances.
   *
   * @default - `1`
   */
  readonly instanceCount?: number;
  /**
   * The KMS key that encrypts the volumes of the ML instances.
   *
   * @default - none
   */
  readonly volumeEncryptionKmsKey?: IKey;
}

/**
 * An Amazon Neptune ML endpoint, with its attributes.
 */
export interface INeptuneMlEndpoint extends INeptuneMlJob {
  /**
   * The status of the endpoint.
   */
  readonly status: string;
  /**
   * The name of the SageMaker endpoint.
   */
  readonly endpointName: string;
  /**
   * The ARN of the SageMaker endpoint.
   */
  readonly endpointArn: string;
  /**
   * The name of the SageMaker endpoint configuration. An update in place creates another one.
   */
  readonly endpointConfigName: string;
  /**
   * The ARN of that configuration.
   */
  readonly endpointConfigArn: string;
}

/**
 * An Amazon Neptune ML endpoint, which is deleted when it goes from the stack.
 */
export class NeptuneMlEndpoint extends Construct implements INeptuneMlEndpoint {
  /**
   * Adopts an endpoint that exists: it, too, is deleted when it goes from the stack.
   */
  public static fromJobId(scope: Construct, id: string, jobId: string, options: NeptuneMlEndpointOptions): NeptuneMlEndpoint {
    return new NeptuneMlEndpoint(scope, id, { ...options, [ADOPTS]: jobId } as unknown as NeptuneMlEndpointProps);
  }

  /**
   * Reads an endpoint that exists, and does not cancel it.
   */
  public static lookUp(scope: Construct, id: string, jobId: string, options: NeptuneMlLookupOptions): INeptuneMlEndpoint {
    const attribute = lookUp(scope, id, Endpoint_TYPE, options, jobId);
    return {
      jobId: attribute('Id'),
      status: attribute('Status'),
      endpointName: attribute('EndpointName'),
      endpointArn: attribute('EndpointArn'),
      endpointConfigName: attribute('EndpointConfigName'),
      endpointConfigArn: attribute('EndpointConfigArn'),
    };
  }

  public readonly jobId: string;
  /**
   * The status of the endpoint.
   */
  public readonly status: string;
  /**
   * The name of the SageMaker endpoint.
   */
  public readonly endpointName: string;
  /**
   * The ARN of the SageMaker endpoint.
   */
  public readonly endpointArn: string;
  /**
   * The name of the SageMaker endpoint configuration. An update in place creates another one.
   */
  public readonly endpointConfigName: string;
  /**
   * The ARN of that configuration.
   */
  public readonly endpointConfigArn: string;

  constructor(scope: Construct, id: string, props: NeptuneMlEndpointProps) {
    super(scope, id);
    const adopts = (props as any)[ADOPTS];
    const attribute = declare(this, Endpoint_TYPE, props, {
      Endpoint: props.endpoint,
      Id: adopts,
      MlModelTrainingJobId: props.modelTraining?.jobId,
      MlModelTransformJobId: props.modelTransform?.jobId,
      ModelName: props.modelName,
      InstanceType: props.instanceType,
      InstanceCount: props.instanceCount,
      VolumeEncryptionKMSKey: props.volumeEncryptionKmsKey?.keyArn,
    }, {
      NeptuneIamRoleArn: props.neptuneRole?.roleArn,
      Clean: props.clean,
      WaitForStop: props.waitForStop,
    });
    dependOn(this, props.modelTraining);
    dependOn(this, props.modelTransform);
    this.jobId = attribute('Id');
    this.status = attribute('Status');
    this.endpointName = attribute('EndpointName');
    this.endpointArn = attribute('EndpointArn');
    this.endpointConfigName = attribute('EndpointConfigName');
    this.endpointConfigArn = attribute('EndpointConfigArn');
  }
}
