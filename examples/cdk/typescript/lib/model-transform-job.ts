import { CustomResource, Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';

export interface ModelTransformJobProps {
  /** The provider's function: the output `ServiceToken` of the provider's stack. */
  readonly serviceToken: string;
  /** The Neptune cluster, as host or host:port, such as `cluster.attrEndpoint`. */
  readonly endpoint: string;
  /** Id of the job, which has to exist. */
  readonly jobId: string;
  /** Role that Neptune is to use. Default: the cluster's. */
  readonly neptuneIamRoleArn?: string;
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
 * Give it dependencies on what the provider needs to cancel the job, so that it goes first: the cluster's instances and
 * the rule that lets the provider's function in (`job.node.addDependency(instance)`).
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

  constructor(scope: Construct, id: string, props: ModelTransformJobProps) {
    super(scope, id);
    const resource = new CustomResource(this, 'Resource', {
      resourceType: 'Custom::NeptuneMLModelTransformJob',
      serviceToken: props.serviceToken,
      serviceTimeout: props.serviceTimeout,
      // The CDK leaves out what is undefined.
      properties: {
        Endpoint: props.endpoint,
        Id: props.jobId,
        NeptuneIamRoleArn: props.neptuneIamRoleArn,
        Clean: props.clean,
        WaitForStop: props.waitForStop,
      },
    });
    this.jobId = resource.getAttString('Id');
    this.status = resource.getAttString('Status');
    this.outputLocation = resource.getAttString('OutputLocation');
    this.baseProcessingJobArn = resource.getAttString('BaseProcessingJobArn');
    this.remoteModelTransformJobArn = resource.getAttString('RemoteModelTransformJobArn');
  }
}
