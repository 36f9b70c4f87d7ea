import { Aws, CfnOutput } from 'aws-cdk-lib';
import { CfnLifecyclePolicy } from 'aws-cdk-lib/aws-dlm';
import {
  AccountPrincipal,
  AccountRootPrincipal,
  ArnPrincipal,
  Effect,
  type IManagedPolicy,
  type IPrincipal,
  PolicyDocument,
  PolicyStatement,
  Role,
  ServicePrincipal,
} from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';

import { acknowledge } from './acknowledged';

/** What a snapshot policy looks for. */
export enum ResourceType {
  /** Snapshots of volumes one by one. */
  VOLUME = 'VOLUME',
  /** Snapshots of all volumes of an instance at the same moment. */
  INSTANCE = 'INSTANCE',
}

/** The options of a source. */
export interface SnapshotSourceProps {
  /** The account that copies the snapshots into its vault. */
  readonly targetAccount: string;
  /**
   * The one role in the target account that may use the key. It has to exist already.
   *
   * @default - the target account decides which of its roles may
   */
  readonly targetRoleArn?: string;
  /**
   * The customer managed key that the volumes are encrypted under. Statements are added to the policy of a key that
   * this app creates; to that of an imported key add `SnapshotSource.keyStatements` yourself.
   *
   * @default - a new key
   */
  readonly key?: IKey;
  /** @default ResourceType.VOLUME */
  readonly resourceType?: ResourceType;
  /**
   * Volumes (or instances) with this tag are snapshotted.
   *
   * @default Snapferry
   */
  readonly tagKey?: string;
  /**
   * The value that the tag must have.
   *
   * @default true
   */
  readonly tagValue?: string;
  /**
   * A new snapshot of each volume after so many hours: 1, 2, 3, 4, 6, 8, 12 or 24.
   *
   * @default 24
   */
  readonly createIntervalHours?: number;
  /**
   * When to begin, in UTC. Data Lifecycle Manager starts within the hour after it.
   *
   * @default 03:00
   */
  readonly createTime?: string;
  /**
   * A snapshot is deleted in this account after so many days.
   *
   * @default 7
   */
  readonly retainDays?: number;
  /**
   * A snapshot is no longer shared after so many days. Leave the target account some days to copy what it could not
   * copy at once.
   *
   * @default - it stays shared until it is deleted
   */
  readonly unshareDays?: number;
  /**
   * Whether snapshots are created and deleted.
   *
   * @default true
   */
  readonly enabled?: boolean;
  /**
   * The IAM path of the role.
   *
   * @default /
   */
  readonly rolePath?: string;
  /**
   * An IAM policy that bounds the permissions of the role.
   *
   * @default - none
   */
  readonly permissionsBoundary?: IManagedPolicy;
}

/**
 * A source account's side: a KMS key that the target account may use, and a Data Lifecycle Manager policy that creates
 * snapshots on a schedule and shares them with the target account. One per Region of the volumes.
 */
export class SnapshotSource extends Construct {
  /** What a key's policy needs, so that the target account (or the one role of it) can use the key. */
  static keyStatements(targetAccount: string, targetRoleArn?: string): PolicyStatement[] {
    const target: IPrincipal =
      targetRoleArn === undefined ? new AccountPrincipal(targetAccount) : new ArnPrincipal(targetRoleArn);
    return [
      // The target account reads what is encrypted under this key, to encrypt its copies under a key of its own.
      new PolicyStatement({
        sid: 'UseByTheTargetAccount',
        effect: Effect.ALLOW,
        principals: [target],
        actions: ['kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey*', 'kms:ReEncrypt*'],
        resources: ['*'],
      }),
      // The target account lets EC2, and only an AWS service, use this key for a copy that is under way.
      new PolicyStatement({
        sid: 'GrantsByTheTargetAccount',
        effect: Effect.ALLOW,
        principals: [target],
        actions: ['kms:CreateGrant', 'kms:ListGrants', 'kms:RevokeGrant'],
        resources: ['*'],
        conditions: { Bool: { 'kms:GrantIsForAWSResource': 'true' } },
      }),
    ];
  }

  /** Encrypt the volumes under this key, and give its ARN to the vault's `sourceKeyArns`. */
  readonly key: IKey;
  /** The schedule. */
  readonly snapshotPolicy: CfnLifecyclePolicy;
  /** Data Lifecycle Manager acts in this role. */
  readonly snapshotPolicyRole: Role;
  /** Matches the snapshots of this policy and no others, in the vault's policy. */
  readonly descriptionRegex: string;

  constructor(scope: Construct, id: string, props: SnapshotSourceProps) {
    super(scope, id);
    this.key =
      props.key ??
      // It outlives the stack: without it, nothing that was encrypted under it can be read again.
      new Key(this, 'SnapshotKey', {
        description: 'Snapferry - encrypts volumes and snapshots that the target account copies.',
        enableKeyRotation: true,
        policy: new PolicyDocument({ minimize: false, statements: [governedByThisAccount()] }),
      });
    for (const statement of SnapshotSource.keyStatements(props.targetAccount, props.targetRoleArn)) {
      this.key.addToResourcePolicy(statement, true);
    }
    this.snapshotPolicyRole = this.role(props);
    acknowledge(this.snapshotPolicyRole, 'SnapshotPolicyRole');
    this.snapshotPolicy = this.lifecyclePolicy(props);
    this.descriptionRegex = `Created for policy: ${this.snapshotPolicy.ref} .*`;
    new CfnOutput(this, 'KeyArn', {
      description: "Encrypt the volumes under this key, and give it to the target account's stack (SourceKeyArns).",
      value: this.key.keyArn,
    });
    new CfnOutput(this, 'SnapshotPolicyId', {
      description: "The Data Lifecycle Manager policy. The snapshots' descriptions name it.",
      value: this.snapshotPolicy.ref,
    });
    new CfnOutput(this, 'DescriptionRegex', {
      description: "Matches the snapshots of this policy and no others, in the target account's policy.",
      value: this.descriptionRegex,
    });
  }

  private lifecyclePolicy(props: SnapshotSourceProps): CfnLifecyclePolicy {
    return new CfnLifecyclePolicy(this, 'SnapshotPolicy', {
      description: 'Snapferry - create snapshots and share them',
      state: (props.enabled ?? true) ? 'ENABLED' : 'DISABLED',
      executionRoleArn: this.snapshotPolicyRole.roleArn,
      policyDetails: {
        policyType: 'EBS_SNAPSHOT_MANAGEMENT',
        resourceTypes: [props.resourceType ?? ResourceType.VOLUME],
        targetTags: [{ key: props.tagKey ?? 'Snapferry', value: props.tagValue ?? 'true' }],
        schedules: [
          {
            name: 'Create and share',
            createRule: {
              interval: props.createIntervalHours ?? 24,
              intervalUnit: 'HOURS',
              times: [props.createTime ?? '03:00'],
            },
            retainRule: { interval: props.retainDays ?? 7, intervalUnit: 'DAYS' },
            shareRules: [
              {
                targetAccounts: [props.targetAccount],
                ...(props.unshareDays !== undefined && {
                  unshareInterval: props.unshareDays,
                  unshareIntervalUnit: 'DAYS',
                }),
              },
            ],
            copyTags: true,
          },
        ],
      },
    });
  }

  private role(props: SnapshotSourceProps): Role {
    const here = `${Aws.PARTITION}:ec2:${Aws.REGION}`;
    const snapshots = `arn:${here}::snapshot/*`;
    return new Role(this, 'SnapshotPolicyRole', {
      description: 'Snapferry - lets Data Lifecycle Manager create, share and delete snapshots.',
      path: props.rolePath ?? '/',
      ...(props.permissionsBoundary && { permissionsBoundary: props.permissionsBoundary }),
      // Data Lifecycle Manager acts in this role, for policies of this account and of no other.
      assumedBy: new ServicePrincipal('dlm.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
          ArnLike: { 'aws:SourceArn': `arn:${Aws.PARTITION}:dlm:${Aws.REGION}:${Aws.ACCOUNT_ID}:policy/*` },
        },
      }),
      inlinePolicies: {
        'create-and-share-snapshots': new PolicyDocument({
          minimize: false,
          statements: [
            // Find the tagged volumes and the snapshots of the schedule; EC2 knows no narrower permission for reading.
            new PolicyStatement({
              sid: 'Read',
              actions: [
                'ec2:DescribeInstances',
                'ec2:DescribeSnapshotAttribute',
                'ec2:DescribeSnapshots',
                'ec2:DescribeVolumes',
              ],
              resources: ['*'],
            }),
            // Create snapshots of the volumes in this Region.
            new PolicyStatement({
              sid: 'CreateSnapshots',
              actions: ['ec2:CreateSnapshot', 'ec2:CreateSnapshots'],
              resources: [
                `arn:${here}:${Aws.ACCOUNT_ID}:instance/*`,
                `arn:${here}:${Aws.ACCOUNT_ID}:volume/*`,
                snapshots,
              ],
            }),
            // Mark the snapshots as the schedule's own, share them, and delete them when their time is over.
            new PolicyStatement({
              sid: 'TagShareAndDelete',
              actions: ['ec2:CreateTags', 'ec2:DeleteSnapshot', 'ec2:ModifySnapshotAttribute'],
              resources: [snapshots],
            }),
          ],
        }),
      },
    });
  }
}

function governedByThisAccount(): PolicyStatement {
  // This account governs its key through IAM, as KMS's default key policy says.
  return new PolicyStatement({
    sid: 'GovernedByThisAccount',
    effect: Effect.ALLOW,
    principals: [new AccountRootPrincipal()],
    actions: ['kms:*'],
    resources: ['*'],
  });
}
