import { readFileSync } from 'fs';
import { join } from 'path';
import { CfnElement, Fn, NestedStack, Reference, Stack, Tokenization } from 'aws-cdk-lib';
import { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';

const ASSETS = join(__dirname, '..', 'assets');

/** The provider of the resource types: one Lambda function, which starts and cancels the jobs. */
export interface INeptuneMlProvider {
  /** What tells CloudFormation to send a resource's requests to the provider. */
  readonly serviceToken: string;
}

/** What a provider is deployed with. */
export interface NeptuneMlProviderProps {
  /**
   * The resource ID of the cluster that the provider may act on, such as `cluster.attrDbClusterResourceId`.
   *
   * `*` stands for every cluster of the account and Region.
   */
  readonly clusterResourceId: string;
  /**
   * The cluster's VPC.
   *
   * @default - none: the cluster has a public endpoint
   */
  readonly vpc?: IVpc;
  /**
   * The subnets in which the function runs.
   *
   * @default - the private subnets of the VPC
   */
  readonly vpcSubnets?: SubnetSelection;
  /**
   * The cluster's security group: the provider's own group is allowed into it.
   *
   * @default - you give `securityGroups`
   */
  readonly clusterSecurityGroup?: ISecurityGroup;
  /**
   * The security groups of the function.
   *
   * @default - one is made, which `clusterSecurityGroup` allows
   */
  readonly securityGroups?: ISecurityGroup[];
  /**
   * Whether stacks may start jobs, rather than only adopt them.
   *
   * @default false
   */
  readonly startJobs?: boolean;
  /**
   * The endpoint of the cluster to which the deployment checks the route.
   *
   * @default - it is not checked
   */
  readonly checkedEndpoint?: string;
  /**
   * Where alarms are sent.
   *
   * @default - nowhere
   */
  readonly alarmTopic?: ITopic;
  /**
   * Other parameters of the provider's template, by their names, such as `{ Endpoints: 'false' }`.
   *
   * @default - the template's defaults
   */
  readonly parameters?: { [name: string]: string };
}

/** A template in a stack, as it is: `CfnInclude` refuses what SAM makes of a resource, and others depend on. */
class AsItIs extends CfnElement {
  constructor(
    scope: Construct,
    id: string,
    private readonly template: object,
  ) {
    super(scope, id);
  }

  /** @internal */
  public _toCloudFormation(): object {
    return this.template;
  }
}

/** Deploys the provider, in a nested stack: the template and the function's package that are released. */
export class NeptuneMlProvider extends Construct implements INeptuneMlProvider {
  /**
   * Refers to a provider that is deployed in this account and Region.
   *
   * @param stackName The name of its stack.
   */
  public static fromStackName(stackName: string): INeptuneMlProvider {
    return { serviceToken: Fn.importValue(`${stackName}-ServiceToken`) };
  }

  /**
   * Refers to a provider by its function.
   *
   * @param serviceToken The output `ServiceToken` of its stack.
   */
  public static fromServiceToken(serviceToken: string): INeptuneMlProvider {
    return { serviceToken };
  }

  public readonly serviceToken: string;
  private readonly groups: ISecurityGroup[];

  constructor(scope: Construct, id: string, props: NeptuneMlProviderProps) {
    super(scope, id);
    if (props.securityGroups && props.clusterSecurityGroup) {
      throw new Error(`${this.node.path}: give either securityGroups or clusterSecurityGroup.`);
    }
    if (props.vpc && !props.securityGroups && !props.clusterSecurityGroup) {
      throw new Error(`${this.node.path}: vpc needs clusterSecurityGroup, or securityGroups for the function.`);
    }
    this.groups = [...(props.securityGroups ?? []), ...(props.clusterSecurityGroup ? [props.clusterSecurityGroup] : [])];
    const nested = new NestedStack(this, 'Stack');
    const parameters: { [name: string]: any } = {
      ClusterResourceId: props.clusterResourceId,
      SubnetIds: props.vpc?.selectSubnets(props.vpcSubnets).subnetIds.join(','),
      VpcId: props.clusterSecurityGroup && props.vpc?.vpcId,
      ClusterSecurityGroupId: props.clusterSecurityGroup?.securityGroupId,
      SecurityGroupIds: props.securityGroups?.map((group) => group.securityGroupId).join(','),
      StartJobs: props.startJobs === undefined ? undefined : String(props.startJobs),
      CheckedEndpoint: props.checkedEndpoint,
      AlarmTopicArn: props.alarmTopic?.topicArn,
      ...props.parameters,
    };
    for (const [name, value] of Object.entries(parameters)) {
      if (value !== undefined) {
        nested.setParameter(name, value);
      }
    }
    const template = JSON.parse(readFileSync(join(ASSETS, 'template.json'), 'utf8'));
    const code = new Asset(nested, 'Code', { path: join(ASSETS, 'provider.zip') });
    template.Resources.Provider.Properties.CodeUri = { Bucket: code.s3BucketName, Key: code.s3ObjectKey };
    new AsItIs(nested, 'Template', template);
    this.serviceToken = nested.nestedStackResource!.getAtt('Outputs.ServiceToken').toString();
  }

  /**
   * Finds what makes a circle if a stack uses the provider: a security group of that stack, which the provider uses.
   *
   * @internal
   */
  public _circle(user: Stack): string[] {
    const own = Stack.of(this);
    return this.groups
      .flatMap((group) => Tokenization.reverseString(group.securityGroupId).tokens)
      .filter((token) => user !== own && Reference.isReference(token) && Stack.of(token.target) === user)
      .map(
        (token) =>
          `The provider in the stack ${own.node.path} uses ${(token as Reference).target.node.path}, which is in this ` +
          'stack, so neither stack could be created before the other; declare the provider in this stack, or the ' +
          'security group in another.',
      );
  }
}
