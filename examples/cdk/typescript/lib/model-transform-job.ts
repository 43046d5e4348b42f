import { CustomResource, Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';

// generated: properties, by `make docs`
export interface CustomModelTransformParameters {
  /**
   * The S3 location of the Python module that implements the model.
   */
  readonly sourceS3DirectoryPath: string;
  /**
   * The script in that module that computes the artifacts. Default: `transform.py`.
   */
  readonly transformEntryPointScript?: string;
}

export interface Properties {
  /**
   * The `Ref` of an `AWS::CloudFormation::WaitConditionHandle`, which is signalled when the job has completed, or
   * fails. A wait condition can wait longer than an hour. Cannot be combined with `WaitForCompletion: true`. Default:
   * no signal.
   */
  readonly completionHandle?: string;
  /**
   * The Neptune cluster that runs the job: `host`, `host:port` or `https://host:port`. The default port is 8182. For an
   * adopted job, change it only together with `Id`.
   */
  readonly endpoint: string;
  /**
   * The id of an existing job to adopt. It cannot contain white space, control characters or slashes. Together with the
   * cluster's name, it can have at most 1,024 bytes. Default: the provider generates one.
   */
  readonly id?: string;
  /**
   * The S3 location for the job's artifacts, such as `s3://bucket/folder`.
   */
  readonly modelTransformOutputS3Location?: string;
  /**
   * The id of the completed data processing job that prepared the graph. Requires `MlModelTrainingJobId`.
   */
  readonly dataProcessingJobId?: string;
  /**
   * The id of the completed model training job whose models this job uses. Requires `DataProcessingJobId`.
   */
  readonly mlModelTrainingJobId?: string;
  /**
   * The name of a completed SageMaker training job, instead of the ids of the two Neptune ML jobs.
   */
  readonly trainingJobName?: string;
  /**
   * The ARN of the IAM role that SageMaker uses to run the job. Default: the role set in the cluster's parameter group.
   */
  readonly sagemakerIamRoleArn?: string;
  /**
   * The type of the ML instance that prepares the job, such as `ml.r5.4xlarge`. Default: Neptune's recommendation for
   * the graph's size.
   */
  readonly baseProcessingInstanceType?: string;
  /**
   * The volume size of that ML instance, in gigabytes. Default: Neptune's recommendation for the graph's size.
   */
  readonly baseProcessingInstanceVolumeSizeInGB?: number;
  /**
   * The ids of the job's subnets, in the cluster's VPC.
   */
  readonly subnets?: string[];
  /**
   * The ids of the job's security groups.
   */
  readonly securityGroupIds?: string[];
  /**
   * The KMS key that encrypts the volumes of the ML instances.
   */
  readonly volumeEncryptionKMSKey?: string;
  /**
   * The KMS key that encrypts the job's artifacts in Amazon S3.
   */
  readonly s3OutputEncryptionKMSKey?: string;
  /**
   * The location of a custom model's code.
   */
  readonly customModelTransformParameters?: CustomModelTransformParameters;
  /**
   * The ARN of the IAM role that Neptune uses to access SageMaker and Amazon S3. Default: the role set in the cluster's
   * parameter group.
   */
  readonly neptuneIamRoleArn?: string;
  /**
   * Whether creating or replacing the job waits until it has completed, and fails if the job fails or is stopped.
   * Default: false.
   */
  readonly waitForCompletion?: boolean;
  /**
   * Whether Neptune also deletes the job's artifacts in Amazon S3 when the job is cancelled. If the job has already
   * ended, Neptune decides. Default: false.
   */
  readonly clean?: boolean;
  /**
   * Whether a deletion waits until the job has stopped. If `false`, it succeeds when Neptune accepts the request.
   * Default: true.
   */
  readonly waitForStop?: boolean;
}
// end of properties

export interface ModelTransformJobProps extends Properties {
  /** The output `ServiceToken` of the provider's stack. */
  readonly serviceToken: string;
  /** The maximum duration of an operation, by default an hour, which is the limit. */
  readonly serviceTimeout?: Duration;
}

/**
 * A Neptune ML model transform job that a stack starts, or adopts (`id`), and cancels when it is deleted.
 *
 * To have the job created last and deleted first, add dependencies on whatever the provider needs to reach the cluster,
 * and on whatever else could fail: `job.node.addDependency(instance)`. For the job's attributes, call
 * `job.getAttString('OutputLocation')`, for example.
 */
export class ModelTransformJob extends CustomResource {
  constructor(scope: Construct, id: string, props: ModelTransformJobProps) {
    const { serviceToken, serviceTimeout, customModelTransformParameters, ...others } = props;
    super(scope, id, {
      resourceType: 'Custom::NeptuneMLModelTransformJob',
      serviceToken,
      serviceTimeout,
      properties: named({
        ...others,
        customModelTransformParameters: customModelTransformParameters && named(customModelTransformParameters),
      }),
    });
  }
}

/** Spells names as CloudFormation does. */
function named(properties: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [name[0].toUpperCase() + name.slice(1), value]),
  );
}
