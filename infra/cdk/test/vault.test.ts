import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { Stack } from 'aws-cdk-lib';
import { Annotations, Capture, Match, Template } from 'aws-cdk-lib/assertions';
import type { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { ManagedPolicy, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { Topic } from 'aws-cdk-lib/aws-sns';

import { type CrossRegionCopy, LogLevel, type PolicyDetails, SnapshotVault } from '../lib';
import { REPOSITORY } from '../lib/check';
import { ofLogs } from '../lib/permissions';
import { builtFunctions, EXAMPLE_POLICY, examplePolicy, synthesized, vault } from './scene';
import { assertSnapshot } from './snapshot';

const SOURCE_KEY = 'arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f';

describe('a vault', () => {
  it('is what was reviewed', () => {
    const made = vault({ sourceKeyArns: [SOURCE_KEY] });
    assertSnapshot('vault', synthesized(made.stack).json);
  });

  it('is what was reviewed, with every option', () => {
    const { stack } = vaultWithEveryOption();
    assertSnapshot('vault-every-option', synthesized(stack).json);
  });

  it('runs one copier at a time', () => {
    const { template } = synthesized(vault().stack);
    template.hasResourceProperties('AWS::SQS::Queue', { FifoQueue: true, ContentBasedDeduplication: true });
    for (const [type, path] of [
      ['AWS::Events::Rule', { Targets: [Match.objectLike({ SqsParameters: { MessageGroupId: 'copier' } })] }],
      ['AWS::Scheduler::Schedule', { Target: Match.objectLike({ SqsParameters: { MessageGroupId: 'copier' } }) }],
    ] as const) {
      template.hasResourceProperties(type, path);
    }
  });

  it('gives the copying role no other account, Region or key than the policy names', () => {
    const { template } = synthesized(vault({ sourceKeyArns: [SOURCE_KEY] }).stack);
    const statements = statementsOf(template, 'copies shared snapshots');
    const bySid = (sid: string): Record<string, unknown> | undefined =>
      statements.find((statement) => statement['Sid'] === sid);
    assert.deepEqual(bySid('CopyFromSourceAccounts')?.['Condition'], {
      StringEquals: { 'ec2:Owner': ['111122223333'] },
    });
    const keys = Object.values(template.findResources('AWS::IAM::ManagedPolicy')) as ManagedPolicyResource[];
    const bySidOfKeys = (sid: string): Record<string, unknown> | undefined =>
      keys.flatMap((policy) => policy.Properties.PolicyDocument.Statement).find((each) => each['Sid'] === sid);
    assert.deepEqual(bySidOfKeys('UseTargetKeys')?.['Resource'], [
      'arn:aws:kms:eu-west-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab',
      'arn:aws:kms:us-east-1:444455556666:key/9876dcba-98fe-76dc-54ba-0987654321fe',
    ]);
    assert.equal(bySidOfKeys('UseSourceKeys')?.['Resource'], SOURCE_KEY);
    assert.deepEqual(bySid('TagWhileCopying')?.['Condition'], {
      StringEquals: {
        'ec2:CreateAction': 'CopySnapshot',
        'aws:RequestedRegion': [{ Ref: 'AWS::Region' }, 'eu-west-1', 'us-east-1'],
      },
    });
  });

  it('gives no role a key when there are none', () => {
    const policy = withTargets({ ...firstTarget(examplePolicy()), EncryptionConfiguration: { Encrypted: true } });
    const { template } = synthesized(vault({ policy }).stack);
    assert.ok(!JSON.stringify(template.toJSON()).includes('kms:'));
  });

  it('has room for as many keys as a role can be given', () => {
    const { template } = synthesized(vault({ sourceKeyArns: sourceKeys(240) }).stack);
    const policies = Object.values(template.findResources('AWS::IAM::ManagedPolicy')) as ManagedPolicyResource[];
    assert.equal(policies.length, 10);
    const keys = new Set<unknown>();
    for (const { Properties: properties } of policies) {
      assert.ok(JSON.stringify(properties.PolicyDocument).length <= 6144);
      properties.PolicyDocument.Statement.flatMap((each) => each['Resource']).forEach((key) => keys.add(key));
    }
    assert.equal(keys.size, 242);
    const [copier] = Object.values(
      template.findResources('AWS::IAM::Role', { Properties: { ManagedPolicyArns: Match.anyValue() } }),
    ) as { Properties: { ManagedPolicyArns: unknown[] } }[];
    assert.equal(copier?.Properties.ManagedPolicyArns.length, 10);
    assert.throws(() => vault({ sourceKeyArns: sourceKeys(241) }), /241 source keys are more than a role can be given/);
  });

  it('says when a role cannot name all that the policy names', () => {
    const owners = (count: number): PolicyDetails => {
      const { EventSource: source, ...others } = examplePolicy();
      const accounts = Array.from({ length: count }, (_, index) => String(100_000_000_000 + index));
      return { ...others, EventSource: { ...source, Parameters: { ...source.Parameters, SnapshotOwner: accounts } } };
    };
    synthesized(vault({ policy: owners(400) }).stack);
    assert.throws(
      () => vault({ policy: owners(700) }),
      /more accounts and Regions than IAM takes for one role: CopySharedSnapshotsRole would have 1\d{4} characters/,
    );
  });

  it('lets the deleting role alone delete, and it nothing else', () => {
    const { template } = synthesized(vault().stack);
    const actions = (role: string): unknown[] => statementsOf(template, role).flatMap((each) => each['Action']);
    assert.deepEqual(actions('deletes Snapferry'), [
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      'ec2:DescribeSnapshots',
      'ec2:DeleteSnapshot',
    ]);
    assert.ok(!actions('copies shared').includes('ec2:DeleteSnapshot'));
    assert.ok(!actions('settles and locks').includes('ec2:DeleteSnapshot'));
  });

  it('keeps the audit records when the stack is deleted', () => {
    const { template } = synthesized(vault().stack);
    template.allResources('AWS::Logs::LogGroup', { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  });
});

describe("a vault's key for the logs", () => {
  const statement = Match.objectLike({
    Sid: 'EncryptLogs',
    Principal: { Service: { 'Fn::Join': ['', ['logs.', { Ref: 'AWS::Region' }, '.amazonaws.com']] } },
    Condition: {
      ArnLike: {
        'kms:EncryptionContext:aws:logs:arn': Match.objectLike({ 'Fn::Join': Match.anyValue() }),
      },
    },
  });

  it('is told to let CloudWatch Logs use it', () => {
    const stack = new Stack();
    const logKey = new Key(stack, 'LogKey');
    new SnapshotVault(stack, 'Vault', { policy: examplePolicy(), logKey, builtFunctions: builtFunctions() });
    const { template } = synthesized(stack);
    template.hasResourceProperties('AWS::KMS::Key', { KeyPolicy: { Statement: Match.arrayWith([statement]) } });
    template.allResourcesProperties('AWS::Logs::LogGroup', { KmsKeyId: stack.resolve(logKey.keyArn) as object });
  });

  it('is told what the README says', () => {
    const readme = readFileSync(join(REPOSITORY, 'README.md'), 'utf8');
    const [said] = /\{"Sid": "EncryptLogs"[^]*?\}\}\}/.exec(readme) ?? [];
    assert.ok(said);
    const here: Record<string, string> = {
      'AWS::Partition': 'aws',
      'AWS::Region': 'eu-central-1',
      'AWS::AccountId': '444455556666',
    };
    const written = JSON.stringify(ofLogs().toJSON());
    const resolved = JSON.stringify(new Stack().resolve(JSON.parse(written)), (_, value: unknown) =>
      joined(value, here),
    );
    assert.deepEqual(JSON.parse(resolved), JSON.parse(said));
  });

  it('is left as it is when it is imported', () => {
    const { template } = synthesized(vaultWithEveryOption().stack);
    template.resourceCountIs('AWS::KMS::Key', 0);
    template.allResourcesProperties('AWS::Logs::LogGroup', { KmsKeyId: Match.stringLikeRegexp('^arn:aws:kms:') });
  });
});

describe("a vault's policy", () => {
  it('goes into the environment', () => {
    const { template } = synthesized(vault().stack);
    const variables = new Capture();
    template.allResourcesProperties('AWS::Lambda::Function', {
      Environment: { Variables: Match.objectLike({ SNAPFERRY_POLICY: variables }) },
    });
    assert.deepEqual(JSON.parse(variables.asString()), examplePolicy());
  });

  it('goes into the package when the environment has no room for it', () => {
    const targets = Array.from({ length: 40 }, (_, index) => ({
      ...firstTarget(examplePolicy()),
      Target: `eu-${'abcdefghijklmnopqrst'.charAt(index % 20)}${index < 20 ? '' : 'x'}-west-1`,
      EncryptionConfiguration: { Encrypted: true },
    }));
    const policy = withTargets(...targets);
    const { app, stack } = vault({ policy });
    const { template } = synthesized(stack);
    template.allResourcesProperties('AWS::Lambda::Function', {
      Environment: { Variables: Match.objectLike({ SNAPFERRY_POLICY: 'policy.json' }) },
    });
    const { directory } = app.synth();
    const packed = readdirSync(directory)
      .map((name) => join(directory, name, 'policy.json'))
      .filter((file) => existsSync(file));
    assert.equal(packed.length, 3);
    for (const file of packed) {
      assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), policy);
    }
  });

  it('comes from a file, in each form', () => {
    const folder = mkdtempSync(join(tmpdir(), 'snapferry-policy-'));
    const details = examplePolicy();
    for (const document of [
      details,
      {
        Policy: { PolicyId: 'policy-1', PolicyDetails: details, Tags: { team: 'backup' }, DateModified: 1795253400.5 },
      },
      [{ Policy: { PolicyId: 'policy-1', PolicyDetails: details } }],
    ]) {
      const file = join(folder, 'policy.json');
      writeFileSync(file, `\uFEFF${JSON.stringify(document, null, 4)}`);
      const { template } = synthesized(vault({ policyFile: file }).stack);
      template.allResourcesProperties('AWS::Lambda::Function', {
        Environment: { Variables: Match.objectLike({ SNAPFERRY_POLICY: JSON.stringify(document) }) },
      });
    }
  });

  it('is given once', () => {
    assert.throws(() => vault({ policy: examplePolicy(), policyFile: EXAMPLE_POLICY }), /give one of policy, policies/);
  });

  it('is refused with the path of what is wrong', () => {
    const target = { ...firstTarget(examplePolicy()), RetainRule: { Interval: 0, IntervalUnit: 'DAYS' } as const };
    assert.throws(
      () => vault({ policy: withTargets(target) }),
      /Stack\/Vault: the policy is not valid\nActions\[0\]\.CrossRegionCopy\[0\]\.RetainRule\.Interval: /,
    );
  });

  it('is refused when its values are known at deployment only', () => {
    const stack = new Stack();
    const target = {
      ...firstTarget(examplePolicy()),
      EncryptionConfiguration: { Encrypted: true, CmkArn: new Key(stack, 'Key').keyArn },
    };
    assert.throws(() => vault({ policy: withTargets(target) }), /known at deployment only/);
  });

  it('is refused when it permits nothing', () => {
    const policy = examplePolicy();
    const { EventSource: source } = policy;
    const nobody = { ...source, Parameters: { ...source.Parameters, SnapshotOwner: [] } };
    assert.throws(() => vault({ policy: { ...policy, EventSource: nobody } }), /names no SnapshotOwner or no Target/);
  });

  it('needs the functions built', () => {
    assert.throws(
      () => vault({ builtFunctions: '/nowhere' }),
      /\/nowhere\/.*bootstrap does not exist: run `make build`/,
    );
  });
});

describe("a vault's helpers", () => {
  it('let others read the audit and ask for a sweep', () => {
    const { stack, vault: made } = vault();
    const auditor = new Role(stack, 'Auditor', { assumedBy: new ServicePrincipal('ec2.amazonaws.com') });
    made.grantReadAudit(auditor);
    made.grantSweep(auditor);
    const { template } = synthesized(stack);
    template.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: [
          Match.objectLike({
            Action: ['logs:DescribeLogStreams', 'logs:FilterLogEvents', 'logs:GetLogEvents', 'logs:StartQuery'],
            Resource: [1, 2, 3].map(() => Match.objectLike({ 'Fn::GetAtt': [Match.stringLikeRegexp('Logs'), 'Arn'] })),
          }),
          Match.objectLike({ Action: ['logs:GetQueryResults', 'logs:StopQuery'], Resource: '*' }),
          Match.objectLike({ Action: 'sqs:SendMessage' }),
        ],
      },
    });
  });

  it('are metrics to draw and to watch', () => {
    const { stack, vault: made } = vault();
    const helpers = Object.getOwnPropertyNames(SnapshotVault.prototype).filter((name) => /^metric[A-Z]/.test(name));
    const drawn = Object.fromEntries(
      helpers.map((name) => [name, (made[name as keyof SnapshotVault] as () => Metric).call(made)]),
    );
    assert.deepEqual(
      Object.fromEntries(
        Object.entries(drawn).map(([name, { namespace, metricName, dimensions, statistic }]) => [
          name,
          [namespace, metricName, stack.resolve(dimensions), statistic],
        ]),
      ),
      {
        metricProtected: ['Snapferry', 'Protected', undefined, 'Maximum'],
        metricUnprotected: ['Snapferry', 'Unprotected', undefined, 'Maximum'],
        metricOldestUnprotectedHours: ['Snapferry', 'OldestUnprotectedHours', undefined, 'Maximum'],
        metricInFlight: ['Snapferry', 'InFlight', undefined, 'Maximum'],
        metricCopiesVerified: ['Snapferry', 'CopiesVerified', undefined, 'Sum'],
        metricCopiesFailed: ['Snapferry', 'CopiesFailed', undefined, 'Sum'],
        metricCopiesRejected: ['Snapferry', 'CopiesRejected', undefined, 'Sum'],
        metricDeadLetters: [
          'AWS/SQS',
          'ApproximateNumberOfMessagesVisible',
          { QueueName: stack.resolve(made.copierDeadLetterQueue.queueName) as object },
          'Maximum',
        ],
        metricUndelivered: [
          'AWS/SQS',
          'ApproximateNumberOfMessagesVisible',
          { QueueName: stack.resolve(made.undeliveredQueue.queueName) as object },
          'Maximum',
        ],
        metricOldestEvent: [
          'AWS/SQS',
          'ApproximateAgeOfOldestMessage',
          { QueueName: stack.resolve(made.copierQueue.queueName) as object },
          'Maximum',
        ],
      },
    );
  });

  it('are metrics that the functions write', () => {
    const written = readFileSync(join(REPOSITORY, 'functions', 'core', 'src', 'metrics.rs'), 'utf8');
    const { vault: made } = vault();
    const dimensionsMap = { PolicyId: 'default', TargetRegion: 'eu-west-1' };
    for (const metric of [
      made.metric('CopiesStarted', { dimensionsMap }),
      made.metricProtected({ dimensionsMap: { TargetRegion: 'eu-west-1' } }),
      made.metricUnprotected(),
      made.metricOldestUnprotectedHours(),
      made.metricInFlight(),
      made.metricCopiesVerified(),
      made.metricCopiesFailed(),
      made.metricCopiesRejected({ dimensionsMap }),
    ]) {
      assert.ok(written.includes(`NAMESPACE: &str = "${metric.namespace}"`));
      assert.ok(written.includes(`"${metric.metricName}"`), metric.metricName);
      const names = Object.keys(metric.dimensions ?? {}).map((name) => `"${name}"`);
      assert.ok(written.includes(`&[${names.join(', ')}]`), names.join());
    }
  });

  it('warn about nothing in the example', () => {
    Annotations.fromStack(vault().stack).hasNoWarning('*', Match.anyValue());
  });
});

function vaultWithEveryOption(): ReturnType<typeof vault> {
  const stack = new Stack(undefined, 'Others');
  return vault({
    policies: [{ Policy: { PolicyId: 'production', State: 'ENABLED', PolicyDetails: examplePolicy() } }],
    sourceKeyArns: [SOURCE_KEY],
    sweepSince: '2026-11-01T00:00:00Z',
    maxDeletesPerRun: 7,
    allowMassExpiry: true,
    retiredRegions: ['eu-north-1'],
    sweepSchedule: ScheduleExpression.cron({ minute: '0/30' }),
    verifySchedule: ScheduleExpression.expression('rate(10 minutes)'),
    expirySchedule: ScheduleExpression.expression('rate(1 day)'),
    logRetention: RetentionDays.TEN_YEARS,
    logKey: Key.fromKeyArn(
      stack,
      'LogKey',
      'arn:aws:kms:eu-central-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab',
    ),
    logLevel: LogLevel.DEBUG,
    alarmTopic: Topic.fromTopicArn(stack, 'Topic', 'arn:aws:sns:eu-central-1:444455556666:operators'),
    unprotectedAlarmHours: 12,
    silentOwnerAlarmHours: 0,
    sweepMissingAlarmHours: 4,
    runbookUrl: 'https://example.com/runbook',
    architecture: Architecture.ARM_64,
    rolePath: '/snapferry/',
    permissionsBoundary: ManagedPolicy.fromManagedPolicyArn(
      stack,
      'Boundary',
      'arn:aws:iam::444455556666:policy/boundary',
    ),
    builtFunctions: builtFunctions(),
  });
}

/** A text that CloudFormation joins, with what it refers to. */
function joined(value: unknown, references: Record<string, string>): unknown {
  if (typeof value !== 'object' || value === null || !('Fn::Join' in value)) {
    return value;
  }
  const [separator, parts] = value['Fn::Join'] as [string, (string | { Ref: string })[]];
  return parts.map((part) => (typeof part === 'string' ? part : references[part.Ref])).join(separator);
}

function firstTarget(policy: PolicyDetails): CrossRegionCopy {
  const [target] = policy.Actions[0]?.CrossRegionCopy ?? [];
  assert.ok(target);
  return target;
}

function withTargets(...targets: CrossRegionCopy[]): PolicyDetails {
  return { ...examplePolicy(), Actions: [{ Name: 'Copy', CrossRegionCopy: targets }] };
}

interface ManagedPolicyResource {
  readonly Properties: { readonly PolicyDocument: { readonly Statement: Record<string, unknown>[] } };
}

/** So many keys, with ARNs as long as they get. */
function sourceKeys(count: number): string[] {
  return Array.from(
    { length: count },
    (_, index) => `arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/mrk-${String(index).padStart(32, '0')}`,
  );
}

/** The statements of the role whose description holds `words`. */
function statementsOf(template: Template, words: string): Record<string, unknown>[] {
  const [role] = Object.values(
    template.findResources('AWS::IAM::Role', {
      Properties: { Description: Match.stringLikeRegexp(words) },
    }),
  ) as { Properties: { Policies: { PolicyDocument: { Statement: Record<string, unknown>[] } }[] } }[];
  return role?.Properties.Policies.flatMap((policy) => policy.PolicyDocument.Statement) ?? [];
}
