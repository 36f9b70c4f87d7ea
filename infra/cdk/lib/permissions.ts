import { Aws } from 'aws-cdk-lib';
import { Effect, PolicyDocument, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';

import type { Named } from './policy';

/*
 * What each role may do: the statements of infra/sam/template.yaml, one sentence above each. tests/parity holds the
 * two against each other.
 */

const SNAPSHOTS = `arn:${Aws.PARTITION}:ec2:*::snapshot/*`;

function document(...statements: PolicyStatement[]): PolicyDocument {
  return new PolicyDocument({ statements, minimize: false });
}

function allow(
  sid: string,
  actions: string[],
  resources: string[],
  conditions: Record<string, unknown> = {},
): PolicyStatement {
  return new PolicyStatement({ sid, effect: Effect.ALLOW, actions, resources, conditions });
}

function writeLogs(logGroupArn: string): PolicyStatement {
  // Write to this function's own log group.
  return allow('WriteLogs', ['logs:CreateLogStream', 'logs:PutLogEvents'], [logGroupArn]);
}

/** The copier's policies, those with keys aside. */
export function ofCopier(names: Named, queueArn: string, logGroupArn: string): Record<string, PolicyDocument> {
  return {
    'take-from-queue-and-log': document(
      // Lambda takes events and ticks from the queue on the function's behalf.
      allow('TakeFromQueue', ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], [queueArn]),
      writeLogs(logGroupArn),
    ),
    'copy-shared-snapshots': copySharedSnapshots(names),
  };
}

/** A managed policy of the copier's. */
export interface KeyPolicy {
  /** What it is for: its statement's name. */
  readonly sid: 'UseTargetKeys' | 'GrantTargetKeysToEbs' | 'UseSourceKeys' | 'GrantSourceKeysToEbs';
  /** The logical ID's beginning: its statement's name, and a number when there are several. */
  readonly id: string;
  readonly description: string;
  readonly document: PolicyDocument;
}

/** How many keys a managed policy has room for: IAM takes 6,144 characters, and an ARN has less than 90. */
const KEYS_IN_A_POLICY = 60;

/**
 * The copier's managed policies. The keys stand in these, because IAM takes 10,240 characters of inline policies in
 * all, which some forty keys fill.
 */
export function ofKeys(targetKeyArns: string[], sourceKeyArns: string[]): KeyPolicy[] {
  return [
    ...numbered(targetKeyArns, (keyArns) => [
      // Look whether a key exists and is usable before a copy starts, and encrypt the copies under it.
      useKeys('UseTargetKeys', 'lets the copier encrypt copies.', keyArns),
      grantToEbs('GrantTargetKeysToEbs', "lets EC2 encrypt the copier's copies.", keyArns),
    ]),
    ...numbered(sourceKeyArns, (keyArns) => [
      // Read what the source accounts encrypted under these keys of theirs.
      useKeys('UseSourceKeys', 'lets the copier read shared snapshots.', keyArns),
      grantToEbs('GrantSourceKeysToEbs', 'lets EC2 read shared snapshots for the copier.', keyArns),
    ]),
  ];
}

/** The verifier's policies. */
export function ofVerifier(logGroupArn: string): Record<string, PolicyDocument> {
  return { 'write-logs': document(writeLogs(logGroupArn)), 'verify-copies': verifyCopies() };
}

/** The deleter's policies, where there may be copies. */
export function ofDeleter(regions: string[], logGroupArn: string): Record<string, PolicyDocument> {
  return { 'write-logs': document(writeLogs(logGroupArn)), 'delete-expired-copies': deleteExpiredCopies(regions) };
}

/** The policies of the sweep's schedule. */
export function ofSweepTimer(copierQueueArn: string, undeliveredQueueArn: string): Record<string, PolicyDocument> {
  return {
    'send-sweep-ticks': document(
      // Put a tick into the copier's queue, or what could not be delivered into the queue for that.
      allow('SendTicks', ['sqs:SendMessage'], [copierQueueArn, undeliveredQueueArn]),
    ),
  };
}

/** The policies of a function's schedule. */
export function ofTimer(
  name: string,
  functionArn: string,
  undeliveredQueueArn: string,
): Record<string, PolicyDocument> {
  return {
    [`start-${name}`]: document(
      // Start this one function.
      allow('Invoke', ['lambda:InvokeFunction'], [functionArn]),
      // Leave a start that could not be delivered where an alarm sees it.
      allow('LeaveUndelivered', ['sqs:SendMessage'], [undeliveredQueueArn]),
    ),
  };
}

/** What the policy of a key for the log groups needs. */
export function ofLogs(): PolicyStatement {
  // CloudWatch Logs encrypts log groups of this account and Region. Not those of this stack alone: their names are not
  // known before they are created, and they are not created before the key lets them.
  return new PolicyStatement({
    sid: 'EncryptLogs',
    effect: Effect.ALLOW,
    principals: [new ServicePrincipal(`logs.${Aws.REGION}.amazonaws.com`)],
    actions: ['kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey*', 'kms:ReEncrypt*'],
    resources: ['*'],
    conditions: {
      ArnLike: {
        'kms:EncryptionContext:aws:logs:arn': `arn:${Aws.PARTITION}:logs:${Aws.REGION}:${Aws.ACCOUNT_ID}:log-group:*`,
      },
    },
  });
}

/** Reading, copying, and tags at no other time. */
function copySharedSnapshots({ sourceAccounts, targetRegions }: Named): PolicyDocument {
  const regions = [Aws.REGION, ...targetRegions];
  return document(
    // Read what is shared and what is copied already; EC2 knows no narrower permission for reading.
    allow('ReadSnapshots', ['ec2:DescribeSnapshots'], ['*']),
    // Copy from the source accounts' snapshots and nobody else's; in which Region EC2 places the source of a copy
    // across Regions is not documented, so the owner and not the Region is the limit.
    allow('CopyFromSourceAccounts', ['ec2:CopySnapshot'], [`arn:${Aws.PARTITION}:ec2:*::snapshot/snap-*`], {
      StringEquals: { 'ec2:Owner': sourceAccounts },
    }),
    // Create copies that carry Snapferry's tags, in the target Regions (the home Region too, because the presigned URL
    // of a copy across Regions is checked there); a snapshot that does not exist yet has the literal ID "*", which
    // keeps this statement from also allowing a source.
    allow('CreateTaggedCopies', ['ec2:CopySnapshot'], [`arn:${Aws.PARTITION}:ec2:*::snapshot/\${*}`], {
      Null: { 'aws:RequestTag/snapferry:policy': 'false', 'aws:RequestTag/snapferry:source-snapshot': 'false' },
      StringEquals: { 'aws:RequestedRegion': regions },
    }),
    // Write tags while creating a copy, and at no other time.
    allow('TagWhileCopying', ['ec2:CreateTags'], [SNAPSHOTS], {
      StringEquals: { 'ec2:CreateAction': 'CopySnapshot', 'aws:RequestedRegion': regions },
    }),
  );
}

function useKeys(sid: KeyPolicy['sid'], description: string, keyArns: string[]): KeyPolicy {
  const actions = ['kms:DescribeKey', 'kms:ReEncrypt*', 'kms:Decrypt', 'kms:GenerateDataKey*'];
  return { sid, id: sid, description, document: document(allow(sid, actions, keyArns)) };
}

function grantToEbs(sid: KeyPolicy['sid'], description: string, keyArns: string[]): KeyPolicy {
  // Let EC2, and only an AWS service, use the keys for the copy after the call has returned.
  const granting = allow(sid, ['kms:CreateGrant'], keyArns, { Bool: { 'kms:GrantIsForAWSResource': 'true' } });
  return { sid, id: sid, description, document: document(granting) };
}

/** The policies for each `KEYS_IN_A_POLICY` keys, with a number from the second time on. */
function numbered(keyArns: string[], made: (keyArns: string[]) => KeyPolicy[]): KeyPolicy[] {
  return Array.from({ length: Math.ceil(keyArns.length / KEYS_IN_A_POLICY) }, (_, index) =>
    made(keyArns.slice(index * KEYS_IN_A_POLICY, (index + 1) * KEYS_IN_A_POLICY)).map((policy) =>
      index === 0 ? policy : { ...policy, id: `${policy.sid}${String(index + 1)}` },
    ),
  ).flat();
}

/** Verdicts and locks on Snapferry's own copies. */
function verifyCopies(): PolicyDocument {
  return document(
    // Read copies and their locks; EC2 knows no narrower permission for reading.
    allow('ReadSnapshots', ['ec2:DescribeSnapshots', 'ec2:DescribeLockedSnapshots'], ['*']),
    // Write a verdict on Snapferry's own copies: these three tags, and no other.
    allow('TagVerdict', ['ec2:CreateTags'], [SNAPSHOTS], {
      Null: { 'aws:ResourceTag/snapferry:policy': 'false', 'aws:TagKeys': 'false' },
      'ForAllValues:StringEquals': { 'aws:TagKeys': ['snapferry:status', 'snapferry:settled-at', 'snapferry:lock'] },
    }),
    // Lock those of Snapferry's own copies that are marked to be locked.
    allow('LockCopies', ['ec2:LockSnapshot'], [SNAPSHOTS], {
      Null: { 'aws:ResourceTag/snapferry:policy': 'false' },
      StringEquals: { 'aws:ResourceTag/snapferry:lock': 'pending' },
    }),
  );
}

/** Deleting Snapferry's own copies. */
function deleteExpiredCopies(regions: string[]): PolicyDocument {
  return document(
    // Read copies and their tags; EC2 knows no narrower permission for reading.
    allow('ReadSnapshots', ['ec2:DescribeSnapshots'], ['*']),
    // Delete snapshots that carry Snapferry's identity tags, in the target Regions and the retired ones.
    allow('DeleteCopies', ['ec2:DeleteSnapshot'], [SNAPSHOTS], {
      Null: {
        'aws:ResourceTag/snapferry:policy': 'false',
        'aws:ResourceTag/snapferry:source-snapshot': 'false',
        'aws:ResourceTag/snapferry:source-account': 'false',
        'aws:ResourceTag/snapferry:source-region': 'false',
        'aws:ResourceTag/snapferry:status': 'false',
      },
      StringEquals: { 'aws:RequestedRegion': regions },
    }),
  );
}
