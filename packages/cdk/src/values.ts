import { IRole } from 'aws-cdk-lib/aws-iam';
import { IBucket } from 'aws-cdk-lib/aws-s3';
import { INeptuneMlProvider } from './provider';

/** A location in Amazon S3. */
export class S3Location {
  /**
   * A bucket, or a folder in it.
   *
   * @param bucket The bucket.
   * @param prefix The folder, such as `movies/processed`; by default the whole bucket.
   */
  public static fromBucket(bucket: IBucket, prefix?: string): S3Location {
    return new S3Location(bucket.s3UrlForObject(prefix));
  }

  /**
   * A location as text.
   *
   * @param url `s3://bucket/folder`.
   */
  public static fromUrl(url: string): S3Location {
    return new S3Location(url);
  }

  private constructor(
    /** `s3://bucket/folder`. */
    public readonly url: string,
  ) {}
}

/** A job of Neptune ML, or an endpoint, that another job uses: a construct, or `NeptuneMlJobId`. */
export interface INeptuneMlJob {
  /** Its ID. */
  readonly jobId: string;
}

/** Where a job is that is read. */
export interface NeptuneMlLookupOptions {
  /** The provider: `NeptuneMlProvider`. */
  readonly provider: INeptuneMlProvider;
  /** The Neptune cluster: `host` or `host:port`, such as `cluster.attrEndpoint`. */
  readonly endpoint: string;
  /**
   * The IAM role that Neptune uses to access SageMaker and Amazon S3.
   *
   * @default - the role set in the cluster's parameter group
   */
  readonly neptuneRole?: IRole;
}

/** The ID of a job that is not in this app. */
export class NeptuneMlJobId implements INeptuneMlJob {
  /**
   * Names a job that has completed.
   *
   * @param jobId Its ID.
   */
  public static of(jobId: string): NeptuneMlJobId {
    return new NeptuneMlJobId(jobId);
  }

  private constructor(public readonly jobId: string) {}
}
