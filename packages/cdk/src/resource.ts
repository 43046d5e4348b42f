// How a construct becomes resources of the stack: checked, and waited for.

import { createHash } from 'crypto';
import { CfnWaitCondition, CfnWaitConditionHandle, CustomResource, Duration, Stack, Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { INeptuneMlProvider, NeptuneMlProvider } from './provider';
import { NeptuneMlLookupOptions } from './values';

const LONGEST_OPERATION_SECONDS = 3600;
const LONGEST_WAIT_SECONDS = 43200;

/** What a right value of a property looks like. */
export interface Rule {
  readonly should: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** What a construct has to know of its resource type. */
export interface ResourceType {
  readonly name: string;
  readonly jobType: string;
  readonly thing: string;
  readonly rules: { readonly [property: string]: Rule };
  readonly required: string[];
  readonly either: string[][];
}

/** What applies to every operation on a resource. */
export interface Operation {
  readonly provider: INeptuneMlProvider;
  readonly waitFor?: Duration;
  readonly serviceTimeout?: Duration;
}

type Properties = { [name: string]: any };

/** Add a resource to the stack, and what waits for its job; returns how to get its attributes. */
export function declare(
  scope: Construct,
  type: ResourceType,
  operation: Operation,
  job: Properties,
  settings: Properties,
): (attribute: string) => string {
  const wanted = withoutUndefined({ ...job, ...settings });
  const problems = [...wrongValues(type.rules, wanted), ...('Id' in wanted ? [] : missing(type, wanted))];
  const seconds = operation.waitFor?.toSeconds() ?? 0;
  if (seconds > LONGEST_WAIT_SECONDS) {
    problems.push(`waitFor is ${seconds} seconds; it should be at most 12 hours.`);
  }
  if ((operation.serviceTimeout?.toSeconds() ?? 1) > LONGEST_OPERATION_SECONDS) {
    problems.push('serviceTimeout should be at most one hour.');
  }
  if (operation.provider instanceof NeptuneMlProvider) {
    problems.push(...operation.provider._circle(Stack.of(scope)));
  }
  report(scope.node.path, problems);
  const { serviceToken } = operation.provider;
  const isLong = seconds > LONGEST_OPERATION_SECONDS;
  // A wait condition works once, and cannot be updated: another job or wait needs another one.
  const waited = JSON.stringify(Stack.of(scope).resolve([withoutUndefined(job), seconds]));
  const suffix = createHash('sha256').update(waited).digest('hex').slice(0, 8);
  const handle = isLong ? new CfnWaitConditionHandle(scope, `Handle${suffix}`) : undefined;
  const resource = new CustomResource(scope, 'Resource', {
    resourceType: type.name,
    serviceToken,
    serviceTimeout: operation.serviceTimeout ?? (seconds && !isLong ? operation.waitFor : undefined),
    properties: withoutUndefined({
      ...wanted,
      WaitForCompletion: seconds && !isLong ? true : undefined,
      CompletionHandle: handle?.ref,
    }),
  });
  if (!handle) {
    return (attribute) => resource.getAttString(attribute);
  }
  const completion = new CfnWaitCondition(scope, `Completion${suffix}`, { handle: handle.ref, timeout: String(seconds) });
  completion.node.addDependency(resource);
  const read = { Job: resource.ref, NeptuneIamRoleArn: settings.NeptuneIamRoleArn };
  const lookup = jobLookup(scope, `Lookup${suffix}`, type, serviceToken, read);
  lookup.node.addDependency(completion);
  return (attribute) => lookup.getAttString(attribute);
}

/** Add to the stack what reads a job, which it does not own; returns how to get the attributes. */
export function lookUp(
  scope: Construct,
  id: string,
  type: ResourceType,
  options: NeptuneMlLookupOptions,
  jobId: string,
): (attribute: string) => string {
  const job = { Endpoint: options.endpoint, Id: jobId, NeptuneIamRoleArn: options.neptuneRole?.roleArn };
  report(`${scope.node.path}/${id}`, wrongValues(type.rules, withoutUndefined(job)));
  const lookup = jobLookup(scope, id, type, options.provider.serviceToken, job);
  return (attribute) => lookup.getAttString(attribute);
}

function jobLookup(
  scope: Construct,
  id: string,
  type: ResourceType,
  serviceToken: string,
  job: Properties,
): CustomResource {
  return new CustomResource(scope, id, {
    resourceType: 'Custom::NeptuneMLJobLookup',
    serviceToken,
    properties: withoutUndefined({ JobType: type.jobType, ...job }),
  });
}

/** Take a property of each in a list: of a program in JavaScript, no compiler says that it is one. */
export function listOf<T, K extends keyof T>(name: string, given: T[] | undefined, property: K): T[K][] | undefined {
  if (given !== undefined && !Array.isArray(given)) {
    throw new Error(`${name} is '${given}'; it should be a list.`);
  }
  return given?.map((one) => one[property]);
}

function report(path: string, problems: string[]): void {
  if (problems.length) {
    throw new Error(`${path}: ${problems.join(' ')}`);
  }
}

function withoutUndefined(properties: Properties): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined));
}

function wrongValues(rules: { readonly [property: string]: Rule }, properties: Properties): string[] {
  return Object.entries(properties)
    .filter(([name, value]) => !Token.isUnresolved(value) && rules[name] && !isRight(rules[name], value))
    .map(([name, value]) => `${name} is '${value}'; it should be ${rules[name].should}.`);
}

function isRight(rule: Rule, value: any): boolean {
  if (rule.pattern !== undefined) {
    return new RegExp(rule.pattern).test(value);
  }
  return (rule.minimum ?? value) <= value && value <= (rule.maximum ?? value);
}

/** What is required has to be there, one group of properties as a whole, and none in part. */
function missing({ thing, required, either }: ResourceType, properties: Properties): string[] {
  const absent = (names: string[]) => names.filter((name) => !(name in properties));
  const halves = either.map(absent).filter((names, index) => names.length && names.length < either[index].length);
  const problems = [...absent(required).map((name) => [name]), ...halves].map(
    (names) => `${names.join(' and ')} is missing.`,
  );
  const isThere = either.some((group) => group.some((name) => name in properties));
  const groups = either.map((group) => group.join(' and ')).join(', or ');
  return either.length && !isThere ? [...problems, `A new ${thing} requires ${groups}.`] : problems;
}
