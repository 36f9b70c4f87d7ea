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

/** The copier's policies. */
export function ofCopier(
  names: Named,
  sourceKeyArns: string[],
  queueArn: string,
  logGroupArn: string,
): Record<string, PolicyDocument> {
  return {
    'take-from-queue-and-log': document(
      // Lambda takes events and ticks from the queue on the function's behalf.
      allow('TakeFromQueue', ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], [queueArn]),
      writeLogs(logGroupArn),
    ),
    'copy-shared-snapshots': copySharedSnapshots(names),
    ...(names.targetKeyArns.length > 0 && { 'encrypt-copies': useKeys('Target', names.targetKeyArns) }),
    ...(sourceKeyArns.length > 0 && { 'decrypt-shared-snapshots': useKeys('Source', sourceKeyArns) }),
  };
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

/** The keys of one side. */
function useKeys(side: 'Target' | 'Source', keyArns: string[]): PolicyDocument {
  return document(
    // Encrypt copies under the target keys and look whether these are usable, or read what the source accounts
    // encrypted under theirs.
    allow(`Use${side}Keys`, ['kms:DescribeKey', 'kms:ReEncrypt*', 'kms:Decrypt', 'kms:GenerateDataKey*'], keyArns),
    // Let EC2, and only an AWS service, use the keys for the copy after the call has returned.
    allow(`Grant${side}KeysToEbs`, ['kms:CreateGrant'], keyArns, { Bool: { 'kms:GrantIsForAWSResource': 'true' } }),
  );
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
