import { Validations } from 'aws-cdk-lib';
import type { CfnInclude } from 'aws-cdk-lib/cloudformation-include';

/*
 * What cdk-nag's AwsSolutions rules object to, each with the reason why it stays. The constructs acknowledge these for
 * themselves, so that an app that uses them and cdk-nag has no findings from here.
 */

const IAM5 = 'AwsSolutions::AwsSolutions-IAM5';

const SNAPSHOTS = 'Resource::arn:<AWS::Partition>:ec2:*::snapshot';
const HERE = 'Resource::arn:<AWS::Partition>:ec2:<AWS::Region>';

const READING = 'EC2 knows no narrower permission for describing than every resource.';
const OWN_COPIES = 'Copies have IDs and Regions that are not known beforehand; the conditions limit the statement.';
const KEYS = 'Resource::arn:<AWS::Partition>:kms:*:*:key/*';
const OWN_KEYS = 'Copies may be under keys that no policy names any more; the statement only lets them be described.';
const KEY_USES =
  'KMS names one permission by several calls, and the statement names the keys themselves, or whose they are.';
const KEYS_HERE = 'Resource::arn:<AWS::Partition>:kms:<AWS::Region>:*:key/*';
const SOURCE_KEYS =
  "The source accounts make keys when they like; the condition limits it to theirs, and each key's policy.";

const DATABASES = 'Resource::arn:<AWS::Partition>:rds:*:<AWS::AccountId>';
const READING_DATABASES = 'One cannot list snapshots of databases by a narrower permission.';
const NAMED = "The names of Snapferry's copies begin so; the conditions limit the statement.";
const OWN_DATABASES = {
  [`${IAM5}[${DATABASES}:snapshot:snapferry-*]`]: NAMED,
  [`${IAM5}[${DATABASES}:cluster-snapshot:snapferry-*]`]: NAMED,
};

/** By template and logical ID. */
export const ACKNOWLEDGED: Record<'vault' | 'source', Record<string, Record<string, string>>> = {
  vault: {
    CopySharedSnapshotsRole: {
      [`${IAM5}[Resource::*]`]: READING,
      [`${IAM5}[${SNAPSHOTS}/snap-*]`]:
        'Shared snapshots have IDs that are not known beforehand; their owners limit it, unless copyAnyOwner is set.',
      [`${IAM5}[${SNAPSHOTS}/<!*>]`]:
        'A snapshot that does not exist yet has the literal ID "*", which is no wildcard.',
      [`${IAM5}[${SNAPSHOTS}/*]`]: OWN_COPIES,
      [`${IAM5}[${KEYS}]`]: OWN_KEYS,
    },
    UseTargetKeys: {
      [`${IAM5}[Action::kms:ReEncrypt*]`]: KEY_USES,
      [`${IAM5}[Action::kms:GenerateDataKey*]`]: KEY_USES,
    },
    UseSourceKeys: {
      [`${IAM5}[Action::kms:ReEncrypt*]`]: KEY_USES,
      [`${IAM5}[Action::kms:GenerateDataKey*]`]: KEY_USES,
      [`${IAM5}[${KEYS_HERE}]`]: SOURCE_KEYS,
    },
    GrantSourceKeysToEbs: {
      [`${IAM5}[${KEYS_HERE}]`]: SOURCE_KEYS,
    },
    VerifyCopiesRole: {
      [`${IAM5}[Resource::*]`]: READING,
      [`${IAM5}[${SNAPSHOTS}/*]`]: OWN_COPIES,
      [`${IAM5}[${KEYS}]`]: OWN_KEYS,
    },
    ProveCopiesRole: {
      [`${IAM5}[Resource::*]`]: READING,
      [`${IAM5}[${SNAPSHOTS}/*]`]: OWN_COPIES,
      [`${IAM5}[${HERE}::snapshot/*]`]:
        'Sources have IDs that are not known beforehand, and carry no tags of this account.',
      [`${IAM5}[Resource::arn:<AWS::Partition>:kms:*:<AWS::AccountId>:key/*]`]:
        'Where no key is named, copies are under whichever the account has; EBS alone may be what decrypts.',
    },
    DecryptSources: {
      [`${IAM5}[${KEYS_HERE}]`]: SOURCE_KEYS,
    },
    DeleteExpiredCopiesRole: {
      [`${IAM5}[Resource::*]`]: READING,
      [`${IAM5}[${SNAPSHOTS}/*]`]: OWN_COPIES,
      [`${IAM5}[${KEYS}]`]: OWN_KEYS,
    },
    CopySharedDatabasesRole: {
      [`${IAM5}[Resource::*]`]: 'RDS knows no narrower permission for listing, nor for going to another Region.',
      ...OWN_DATABASES,
      [`${IAM5}[${KEYS}]`]: OWN_KEYS,
    },
    CopyFromSourceDatabases: {
      [`${IAM5}[Resource::arn:<AWS::Partition>:rds:<AWS::Region>:*:*snapshot:*]`]:
        'Shared snapshots have names that are not known beforehand; their owners limit it, unless copyAnyOwner is set.',
    },
    UseTargetKeysForRds: {
      [`${IAM5}[Action::kms:ReEncrypt*]`]: KEY_USES,
      [`${IAM5}[Action::kms:GenerateDataKey*]`]: KEY_USES,
    },
    UseSourceKeysForRds: {
      [`${IAM5}[Action::kms:ReEncrypt*]`]: KEY_USES,
      [`${IAM5}[Action::kms:GenerateDataKey*]`]: KEY_USES,
      [`${IAM5}[${KEYS_HERE}]`]: SOURCE_KEYS,
    },
    GrantSourceKeysToRds: {
      [`${IAM5}[${KEYS_HERE}]`]: SOURCE_KEYS,
    },
    VerifyCopiedDatabasesRole: {
      [`${IAM5}[Resource::*]`]: READING_DATABASES,
      ...OWN_DATABASES,
      [`${IAM5}[${KEYS}]`]: OWN_KEYS,
    },
    DeleteExpiredDatabaseCopiesRole: {
      [`${IAM5}[Resource::*]`]: READING_DATABASES,
      ...OWN_DATABASES,
      [`${IAM5}[${KEYS}]`]: OWN_KEYS,
    },
    VerifierQueue: {
      'AwsSolutions::AwsSolutions-SQS3': 'What is in it is worth nothing after five minutes: a schedule does the same.',
    },
    UndeliveredQueue: {
      'AwsSolutions::AwsSolutions-SQS3':
        'It is the dead-letter queue of the rule and the schedules, which are no queues.',
    },
  },
  source: {
    SnapshotPolicyRole: {
      [`${IAM5}[Resource::*]`]: READING,
      [`${IAM5}[${HERE}:<AWS::AccountId>:instance/*]`]: 'The tag in the schedule, not the role, chooses the instances.',
      [`${IAM5}[${HERE}:<AWS::AccountId>:volume/*]`]: 'The tag in the schedule, not the role, chooses the volumes.',
      [`${IAM5}[${HERE}::snapshot/*]`]: 'Snapshots have IDs that are not known before they are created.',
    },
  },
};

/** Acknowledges what is known about a template's resources. */
export function acknowledge(template: CfnInclude, name: 'vault' | 'source'): void {
  for (const resource of template.node.children) {
    for (const [id, reason] of Object.entries(ACKNOWLEDGED[name][resource.node.id] ?? {})) {
      Validations.of(resource).acknowledge({ id, reason });
    }
  }
}
