// Synthesizes, with the built package: every class with every property, a provider, and what is told of mistakes.
const { App, CfnOutput, Fn, Stack, Duration, Size, aws_ec2: ec2, aws_iam: iam, aws_kms: kms, aws_s3: s3 } = require('aws-cdk-lib');
const ml = require('cdk-neptune-ml');
const { loadAssemblyFromPath } = require('@jsii/spec');
const { dirname } = require('path');

const types = loadAssemblyFromPath(dirname(require.resolve('cdk-neptune-ml/package.json'))).types;
const app = new App();
const every = new Stack(app, 'every');
const provider = ml.NeptuneMlProvider.fromServiceToken('arn:aws:lambda:us-east-1:123456789012:function:provider');
const endpoint = 'mycluster.cluster-abc123.us-east-1.neptune.amazonaws.com';
const vpc = ec2.Vpc.fromVpcAttributes(every, 'Vpc', {
  vpcId: 'vpc-1', availabilityZones: ['us-east-1a'], privateSubnetIds: ['subnet-1'],
});
const group = ec2.SecurityGroup.fromSecurityGroupId(every, 'Group', 'sg-1');
const values = {
  'aws-cdk-lib.Duration': Duration.hours(1),
  'aws-cdk-lib.Size': Size.gibibytes(7),
  'aws-cdk-lib.aws_iam.IRole': iam.Role.fromRoleArn(every, 'Role', 'arn:aws:iam::123456789012:role/movies'),
  'aws-cdk-lib.aws_kms.IKey': kms.Key.fromKeyArn(every, 'Key', 'arn:aws:kms:us-east-1:123456789012:key/1'),
  'cdk-neptune-ml.INeptuneMlProvider': provider,
  'cdk-neptune-ml.INeptuneMlJob': ml.NeptuneMlJobId.of('movies'),
  'cdk-neptune-ml.S3Location': ml.S3Location.fromBucket(s3.Bucket.fromBucketName(every, 'Bucket', 'movies'), 'folder'),
};

function valueOf(name, type) {
  if (type.collection) {
    return type.collection.elementtype.fqn.endsWith('ISubnet') ? vpc.privateSubnets : [group];
  }
  if (type.fqn in values) {
    return values[type.fqn];
  }
  if (type.fqn) {
    return propsOf(type.fqn);
  }
  const texts = { endpoint, string: name.toLowerCase().endsWith('instancetype') ? 'ml.r5.large' : 'text' };
  return { string: texts[name] ?? texts.string, number: 3, boolean: true }[type.primitive];
}

function propsOf(fqn) {
  const { interfaces = [], properties = [] } = types[fqn];
  const own = properties.map(({ name, type }) => [name, valueOf(name, type)]);
  return Object.assign({}, ...interfaces.map(propsOf), Object.fromEntries(own));
}

const classes = Object.values(types).filter((it) => it.methods?.some(({ name }) => name === 'fromJobId'));
for (const { name, fqn } of classes) {
  new ml[name](every, name, propsOf(`${fqn}Props`));
  ml[name].fromJobId(every, `${name}Adopted`, 'movies', { provider, endpoint });
  const read = ml[name].lookUp(every, `${name}Read`, 'movies', { provider, endpoint });
  new CfnOutput(every, `${name}Attributes`, { value: every.toJsonString(read) });
}

new ml.NeptuneMlProvider(new Stack(app, 'provider'), 'Provider', {
  clusterResourceId: 'cluster-ABC', vpc, clusterSecurityGroup: group, startJobs: true, parameters: { Endpoints: 'false' },
});

const stack = new Stack(app, 'wrong');
const imported = ec2.SecurityGroup.fromSecurityGroupId(stack, 'Imported', Fn.importValue('group'));
const alone = new ml.NeptuneMlProvider(new Stack(app, 'alone'), 'Provider', {
  clusterResourceId: '*', vpc, clusterSecurityGroup: imported,
});
ml.NeptuneMlEndpoint.fromJobId(stack, 'Right', 'movies', { provider: alone, endpoint });
const told = (make) => {
  try {
    make();
    return '';
  } catch (error) {
    return error.message;
  }
};
const common = { provider, endpoint };
const clusterSecurityGroup = new ec2.SecurityGroup(stack, 'Cluster', { vpc });
const elsewhere = new ml.NeptuneMlProvider(new Stack(app, 'elsewhere'), 'Provider', {
  clusterResourceId: '*', vpc, clusterSecurityGroup,
});
const output = ml.S3Location.fromUrl('s3://movies/output');
const mistakes = [
  () => new ml.NeptuneMlModelTransformJob(stack, 'A', {
    ...common, trainingJobName: 'movies', modelTransformOutputS3Location: ml.S3Location.fromUrl('movies/output'),
  }),
  () => new ml.NeptuneMlModelTransformJob(stack, 'B', {
    ...common, modelTransformOutputS3Location: output, dataProcessing: ml.NeptuneMlJobId.of('movies'),
  }),
  () => new ml.NeptuneMlEndpoint(stack, 'C', common),
  () => new ml.NeptuneMlEndpoint(stack, 'D', {
    ...common, modelTraining: ml.NeptuneMlJobId.of('movies'), instanceType: 'r5.large', waitFor: Duration.hours(13),
  }),
  () => new ml.NeptuneMlProvider(stack, 'E', { clusterResourceId: '*', vpc }),
  () => new ml.NeptuneMlDataProcessingJob(stack, 'F', {
    ...common, inputDataS3Location: output, processedDataS3Location: output, subnets: 'subnet-1',
  }),
  () => new ml.NeptuneMlDataProcessingJob(stack, 'G', { ...common, processedDataS3Location: output }),
  () => ml.NeptuneMlEndpoint.lookUp(stack, 'H', 'a/b', common),
  () => ml.NeptuneMlEndpoint.fromJobId(stack, 'I', 'movies', { provider: elsewhere, endpoint }),
].map(told);

app.synth();
console.log(JSON.stringify({ classes: classes.map(({ name }) => name), mistakes }));
