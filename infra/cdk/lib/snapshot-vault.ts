import { cpSync, existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Annotations, Aws, CfnOutput, Duration, RemovalPolicy, TimeZone, Token } from 'aws-cdk-lib';
import { type CfnDashboard, type Metric, type MetricOptions, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Rule } from 'aws-cdk-lib/aws-events';
import {
  AnyPrincipal,
  ArnPrincipal,
  Effect,
  Grant,
  type IGrantable,
  ManagedPolicy,
  type PolicyDocument,
  PolicyStatement,
  Role,
  ServicePrincipal,
} from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  CfnEventInvokeConfig,
  Code,
  EventSourceMapping,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { CfnSchedule, ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

import { acknowledge } from './acknowledged';
import { createAlarms, type VaultAlarms, type Watched } from './alarms';
import { checkPolicy, REPOSITORY } from './check';
import { createDashboard } from './dashboard';
import { snapferryMetric } from './metrics';
import * as permissions from './permissions';
import { type Named, named, readPolicyFile } from './policy';
import { createQueries } from './queries';
import { LogLevel, type SnapshotVaultProps } from './vault-props';

/** What one function has of its own. */
interface FunctionOptions {
  /** The logical ID's beginning. */
  readonly id: string;
  /** The name of its folder. */
  readonly name: string;
  readonly description: string;
  readonly roleDescription: string;
  readonly permissions: (logGroupArn: string) => Record<string, PolicyDocument>;
  readonly managedPolicies?: ManagedPolicy[];
  readonly environment: Record<string, string>;
}

/** A function with its role and its logs. */
interface Runner {
  readonly lambda: LambdaFunction;
  readonly role: Role;
  readonly logs: LogGroup;
}

/** When a function starts. */
interface Timer {
  /** The logical ID's beginning. */
  readonly id: string;
  /** The function's name. */
  readonly name: string;
  readonly description: string;
  readonly expression: ScheduleExpression;
}

/** How many IAM attaches to a role, unless asked for more. */
const MAX_MANAGED_POLICIES = 10;

/** How much of inline policies IAM takes for a role in all, in characters without white space. */
const MAX_INLINE_CHARACTERS = 10_240;

/** What stands for an ARN or a name that is known at deployment only is taken to become at most so long. */
const UNKNOWN = 'x'.repeat(128);

/** The longest policy in the functions' environment, of which Lambda allows 4 KB in all. */
const MAX_POLICY_IN_ENVIRONMENT = 3500;

/**
 * The target account's side: copies EBS snapshots that other accounts share with this one into this account's own
 * Regions and keys, verifies the copies and deletes them when their retention is over. One per source Region.
 */
export class SnapshotVault extends Construct {
  /** Copies. */
  readonly copySharedSnapshots: LambdaFunction;
  /** Verifies and locks. */
  readonly verifyCopies: LambdaFunction;
  /** Deletes. */
  readonly deleteExpiredCopies: LambdaFunction;
  /** The audit records of copying. */
  readonly copySharedSnapshotsLogs: LogGroup;
  /** The audit records of verifying and locking. */
  readonly verifyCopiesLogs: LogGroup;
  /** The audit records of deleting. */
  readonly deleteExpiredCopiesLogs: LogGroup;
  /** Uses the source accounts' keys; their key policies may name it instead of the whole account. */
  readonly copySharedSnapshotsRole: Role;
  /** Tags and locks copies. */
  readonly verifyCopiesRole: Role;
  /** The only role here that can delete. */
  readonly deleteExpiredCopiesRole: Role;
  /** Share events and sweep ticks. */
  readonly copierQueue: Queue;
  /** What the copier gave up on. */
  readonly copierDeadLetterQueue: Queue;
  /** What the rule and the schedules could not deliver. */
  readonly undeliveredQueue: Queue;
  /** Brings share events. */
  readonly shareRule: Rule;
  /** The alarms, each by its name. */
  readonly alarms: VaultAlarms;
  /** What an operator looks at first. */
  readonly dashboard: CfnDashboard;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: SnapshotVaultProps,
  ) {
    super(scope, id);
    const policy = this.policy();
    const names = named(policy);
    if (names.sourceAccounts.length === 0 || names.targetRegions.length === 0) {
      throw new Error(
        `${this.node.path}: the policy names no SnapshotOwner or no Target, so there is nothing to permit`,
      );
    }

    // The policy of an imported key cannot be changed from here.
    this.props.logKey?.addToResourcePolicy(permissions.ofLogs(), true);
    this.copierDeadLetterQueue = this.queue('CopierDeadLetterQueue', { fifo: true });
    this.copierQueue = this.queue('CopierQueue', { fifo: true, deadLetterQueue: this.copierDeadLetterQueue });
    this.undeliveredQueue = this.queue('UndeliveredQueue', { fifo: false });
    this.shareRule = this.rule();

    const copier = this.copier(policy, names);
    this.copySharedSnapshots = copier.lambda;
    this.copySharedSnapshotsRole = copier.role;
    this.copySharedSnapshotsLogs = copier.logs;
    const verifier = this.verifier(policy);
    this.verifyCopies = verifier.lambda;
    this.verifyCopiesRole = verifier.role;
    this.verifyCopiesLogs = verifier.logs;
    const deleter = this.deleter(policy, names);
    this.deleteExpiredCopies = deleter.lambda;
    this.deleteExpiredCopiesRole = deleter.role;
    this.deleteExpiredCopiesLogs = deleter.logs;
    this.queuePolicies(this.sweepTimer());

    const logs = {
      copying: this.copySharedSnapshotsLogs,
      verifying: this.verifyCopiesLogs,
      deleting: this.deleteExpiredCopiesLogs,
    };
    this.alarms = createAlarms(this, this.watched());
    this.dashboard = createDashboard(this, this.alarms, logs);
    createQueries(this, logs);
    this.outputs();
    acknowledge(this.undeliveredQueue, 'UndeliveredQueue');
  }

  /** Lets `grantee` read the audit records, and query them with Logs Insights. */
  grantReadAudit(grantee: IGrantable): Grant {
    const read = Grant.addToPrincipal({
      grantee,
      actions: ['logs:DescribeLogStreams', 'logs:FilterLogEvents', 'logs:GetLogEvents', 'logs:StartQuery'],
      resourceArns: [this.copySharedSnapshotsLogs, this.verifyCopiesLogs, this.deleteExpiredCopiesLogs].map(
        (logs) => logs.logGroupArn,
      ),
    });
    // A query has an ID and no ARN, so IAM knows no narrower permission for its results; what it reads is limited above.
    return read.combine(
      Grant.addToPrincipal({
        grantee,
        actions: ['logs:GetQueryResults', 'logs:StopQuery'],
        resourceArns: ['*'],
      }),
    );
  }

  /** Lets `grantee` ask for a sweep now, by a message `{"sweep": "<any id>"}` in the copier's queue. */
  grantSweep(grantee: IGrantable): Grant {
    return Grant.addToPrincipal({
      grantee,
      actions: ['sqs:SendMessage'],
      resourceArns: [this.copierQueue.queueArn],
    });
  }

  /**
   * A metric that rides on the audit lines: without dimensions, that of all policies and target Regions; those of copies
   * also by `PolicyId` and `TargetRegion`.
   */
  metric(metricName: string, options?: MetricOptions): Metric {
    return snapferryMetric(metricName, options);
  }

  /** Copies that the policy wants and that are verified, as the last sweep found it. */
  metricProtected(options?: MetricOptions): Metric {
    return this.metric('Protected', { statistic: Stats.MAXIMUM, ...options });
  }

  /** Copies that the policy wants and that are neither verified nor on their way, as the last sweep found it. */
  metricUnprotected(options?: MetricOptions): Metric {
    return this.metric('Unprotected', { statistic: Stats.MAXIMUM, ...options });
  }

  /** For how many hours the oldest of them has been missing. */
  metricOldestUnprotectedHours(options?: MetricOptions): Metric {
    return this.metric('OldestUnprotectedHours', { statistic: Stats.MAXIMUM, ...options });
  }

  /** Copies that EC2 has begun and not finished, as the last sweep found it. */
  metricInFlight(options?: MetricOptions): Metric {
    return this.metric('InFlight', { statistic: Stats.MAXIMUM, ...options });
  }

  /** Copies that were verified. */
  metricCopiesVerified(options?: MetricOptions): Metric {
    return this.metric('CopiesVerified', options);
  }

  /** Copies that EC2 refused to start or gave up on. */
  metricCopiesFailed(options?: MetricOptions): Metric {
    return this.metric('CopiesFailed', options);
  }

  /** Finished copies that are not what the policy asked for. */
  metricCopiesRejected(options?: MetricOptions): Metric {
    return this.metric('CopiesRejected', options);
  }

  /** Messages that the copier gave up on and nobody has taken away. */
  metricDeadLetters(options?: MetricOptions): Metric {
    return this.copierDeadLetterQueue.metricApproximateNumberOfMessagesVisible(atMost(options));
  }

  /** Share events and starts that could not be delivered and nobody has taken away. */
  metricUndelivered(options?: MetricOptions): Metric {
    return this.undeliveredQueue.metricApproximateNumberOfMessagesVisible(atMost(options));
  }

  /** How long the oldest event or tick has waited for the copier. */
  metricOldestEvent(options?: MetricOptions): Metric {
    return this.copierQueue.metricApproximateAgeOfOldestMessage(atMost(options));
  }

  private policy(): string {
    const { policy, policies, policyFile } = this.props;
    const given = [policy, policies, policyFile].filter((each) => each !== undefined);
    if (given.length !== 1) {
      throw new Error(
        `${this.node.path}: give one of policy, policies and policyFile, not ${String(given.length)} of them`,
      );
    }
    const document = policyFile === undefined ? JSON.stringify(policy ?? policies) : readPolicyFile(policyFile);
    if (Token.isUnresolved(document)) {
      throw new Error(`${this.node.path}: the policy has values that are known at deployment only; write them out`);
    }
    const { errors, warnings } = checkPolicy(document);
    if (errors.length > 0) {
      throw new Error([`${this.node.path}: ${policyFile ?? 'the policy'} is not valid`, ...errors].join('\n'));
    }
    for (const warning of warnings) {
      Annotations.of(this).addWarningV2(`snapferry:${warning}`, warning);
    }
    return JSON.stringify(JSON.parse(document));
  }

  private queue(id: string, { fifo, deadLetterQueue }: { fifo: boolean; deadLetterQueue?: Queue }): Queue {
    return new Queue(this, id, {
      ...(fifo && { fifo }),
      encryption: QueueEncryption.SQS_MANAGED,
      retentionPeriod: Duration.days(14),
      ...(deadLetterQueue && {
        contentBasedDeduplication: true,
        // Six times the function's timeout, as Lambda asks for.
        visibilityTimeout: Duration.minutes(30),
        deadLetterQueue: { queue: deadLetterQueue, maxReceiveCount: 5 },
      }),
    });
  }

  /**
   * Not on detail.source: its JSON type is unproven, and a wrong guess would drop every event in silence. The function
   * filters by the owner that EC2 names.
   */
  private rule(): Rule {
    return new Rule(this, 'ShareRule', {
      description: 'Snapferry - an EBS snapshot was shared with this account.',
      eventPattern: {
        source: ['aws.ec2'],
        detailType: ['EBS Snapshot Notification'],
        detail: { event: ['shareSnapshot'], result: ['succeeded'] },
      },
      targets: [
        {
          // One message group, so that at most one copier runs at a time: that keeps copies from being made twice.
          bind: () => ({
            id: 'copier',
            arn: this.copierQueue.queueArn,
            sqsParameters: { messageGroupId: 'copier' },
            deadLetterConfig: { arn: this.undeliveredQueue.queueArn },
          }),
        },
      ],
    });
  }

  private queuePolicies(sweepTimerRole: Role): void {
    const fromRule = (sid: string, queue: Queue): PolicyStatement =>
      new PolicyStatement({
        sid,
        effect: Effect.ALLOW,
        principals: [new ServicePrincipal('events.amazonaws.com')],
        actions: ['sqs:SendMessage'],
        resources: [queue.queueArn],
        conditions: { ArnEquals: { 'aws:SourceArn': this.shareRule.ruleArn } },
      });
    // The rule above, and no other rule, delivers share events.
    this.copierQueue.addToResourcePolicy(fromRule('ShareEvents', this.copierQueue));
    // The schedule's role, and no other role by this policy, delivers sweep ticks.
    this.copierQueue.addToResourcePolicy(
      new PolicyStatement({
        sid: 'SweepTicks',
        effect: Effect.ALLOW,
        principals: [new ArnPrincipal(sweepTimerRole.roleArn)],
        actions: ['sqs:SendMessage'],
        resources: [this.copierQueue.queueArn],
      }),
    );
    // The rule leaves here the events that it could not deliver for a day.
    this.undeliveredQueue.addToResourcePolicy(fromRule('UndeliveredShareEvents', this.undeliveredQueue));
    for (const queue of [this.copierQueue, this.copierDeadLetterQueue, this.undeliveredQueue]) {
      // Nobody speaks to the queue without TLS.
      queue.addToResourcePolicy(
        new PolicyStatement({
          sid: 'TlsOnly',
          effect: Effect.DENY,
          principals: [new AnyPrincipal()],
          actions: ['sqs:*'],
          resources: [queue.queueArn],
          conditions: { Bool: { 'aws:SecureTransport': 'false' } },
        }),
      );
    }
  }

  private copier(policy: string, names: Named): Runner {
    const { sourceKeyArns = [], sweepSince } = this.props;
    const runner = this.runner(policy, {
      id: 'CopySharedSnapshots',
      name: 'copy-shared-snapshots',
      description: 'copies snapshots that were shared with this account.',
      roleDescription: 'copies shared snapshots; cannot delete any, nor change a tag later.',
      permissions: (logs) => permissions.ofCopier(names, this.copierQueue.queueArn, logs),
      managedPolicies: this.keyPolicies(names.targetKeyArns, sourceKeyArns),
      environment: sweepSince === undefined ? {} : { SNAPFERRY_SWEEP_SINCE: sweepSince },
    });
    acknowledge(runner.role, 'CopySharedSnapshotsRole');
    new EventSourceMapping(this, 'CopySharedSnapshotsQueue', {
      target: runner.lambda,
      eventSourceArn: this.copierQueue.queueArn,
      batchSize: 10,
      reportBatchItemFailures: true,
    });
    return runner;
  }

  private verifier(policy: string): Runner {
    const runner = this.runner(policy, {
      id: 'VerifyCopies',
      name: 'verify-copies',
      description: 'proves that finished copies are what the policy asked for, and locks them.',
      roleDescription: "settles and locks Snapferry's own copies; cannot copy or delete any.",
      permissions: permissions.ofVerifier,
      environment: this.retired(),
    });
    acknowledge(runner.role, 'VerifyCopiesRole');
    this.runOnSchedule(runner.lambda, {
      id: 'Verify',
      name: 'verify-copies',
      description: 'look at the copies that were started.',
      expression: this.props.verifySchedule ?? ScheduleExpression.rate(Duration.minutes(5)),
    });
    return runner;
  }

  private deleter(policy: string, { targetRegions }: Named): Runner {
    const { maxDeletesPerRun = 100, allowMassExpiry = false, retiredRegions = [] } = this.props;
    const runner = this.runner(policy, {
      id: 'DeleteExpiredCopies',
      name: 'delete-expired-copies',
      description: 'deletes copies whose retention is over, never the last good one.',
      roleDescription: "deletes Snapferry's own copies; cannot copy, tag or lock any.",
      permissions: (logs) => permissions.ofDeleter([...targetRegions, ...retiredRegions], logs),
      environment: {
        SNAPFERRY_MAX_DELETES_PER_RUN: String(maxDeletesPerRun),
        SNAPFERRY_ALLOW_MASS_EXPIRY: String(allowMassExpiry),
        ...this.retired(),
      },
    });
    acknowledge(runner.role, 'DeleteExpiredCopiesRole');
    this.runOnSchedule(runner.lambda, {
      id: 'Expiry',
      name: 'delete-expired-copies',
      description: 'delete the copies whose retention is over.',
      expression: this.props.expirySchedule ?? ScheduleExpression.rate(Duration.hours(1)),
    });
    return runner;
  }

  private retired(): Record<string, string> {
    const { retiredRegions = [] } = this.props;
    return retiredRegions.length > 0 ? { SNAPFERRY_RETIRED_REGIONS: retiredRegions.join(',') } : {};
  }

  private sweepTimer(): Role {
    const queueArn = this.copierQueue.queueArn;
    const role = this.role(
      'SweepTimerRole',
      "lets the sweep schedule put its tick into the copier's queue.",
      schedules(),
      permissions.ofSweepTimer(queueArn, this.undeliveredQueue.queueArn),
    );
    const timer = {
      id: 'Sweep',
      name: 'copy-shared-snapshots',
      description: 'compare what is shared with what is copied.',
      expression: this.props.sweepSchedule ?? ScheduleExpression.rate(Duration.minutes(15)),
    };
    this.schedule(timer, {
      arn: queueArn,
      roleArn: role.roleArn,
      // The execution's own ID, because the queue would drop an equal tick within five minutes as a duplicate.
      input: '{"sweep":"<aws.scheduler.execution-id>"}',
      sqsParameters: { messageGroupId: 'copier' },
    });
    return role;
  }

  /** The audit records outlive the stack. */
  private logGroup(id: string): LogGroup {
    return new LogGroup(this, id, {
      retention: this.props.logRetention ?? RetentionDays.ONE_YEAR,
      removalPolicy: RemovalPolicy.RETAIN,
      ...(this.props.logKey && { encryptionKey: this.props.logKey }),
    });
  }

  private role(
    id: string,
    description: string,
    assumedBy: ServicePrincipal,
    inlinePolicies: Record<string, PolicyDocument>,
    managedPolicies: ManagedPolicy[] = [],
  ): Role {
    const written = Object.values(inlinePolicies).map((document) => JSON.stringify(document.toJSON()));
    const characters = written.join('').replace(/\$\{Token\[[^\]]*\]\}/g, UNKNOWN).length;
    if (characters > MAX_INLINE_CHARACTERS) {
      throw new Error(
        `${this.node.path}: the policy names more accounts and Regions than IAM takes for one role: ${id} would have ` +
          `${String(characters)} characters of inline policies, of ${String(MAX_INLINE_CHARACTERS)}`,
      );
    }
    return new Role(this, id, {
      description: `Snapferry - ${description}`,
      path: this.props.rolePath ?? '/',
      ...(this.props.permissionsBoundary && { permissionsBoundary: this.props.permissionsBoundary }),
      assumedBy,
      inlinePolicies,
      managedPolicies,
    });
  }

  private keyPolicies(targetKeyArns: string[], sourceKeyArns: string[]): ManagedPolicy[] {
    const policies = permissions.ofKeys(targetKeyArns, sourceKeyArns);
    if (policies.length > MAX_MANAGED_POLICIES) {
      throw new Error(
        `${this.node.path}: ${String(targetKeyArns.length)} keys of copies and ${String(sourceKeyArns.length)} source ` +
          'keys are more than a role can be given: IAM attaches ten managed policies to it',
      );
    }
    return policies.map(({ sid, id, description, document }) => {
      const path = this.props.rolePath ?? '/';
      const made = new ManagedPolicy(this, id, { description: `Snapferry - ${description}`, path, document });
      if (sid === 'UseTargetKeys' || sid === 'UseSourceKeys') {
        acknowledge(made, sid);
      }
      return made;
    });
  }

  private runner(policy: string, options: FunctionOptions): Runner {
    const isInline = policy.length <= MAX_POLICY_IN_ENVIRONMENT;
    const logs = this.logGroup(`${options.id}Logs`);
    const role = this.role(
      `${options.id}Role`,
      options.roleDescription,
      // Lambda runs the function in this role.
      new ServicePrincipal('lambda.amazonaws.com'),
      options.permissions(logs.logGroupArn),
      options.managedPolicies,
    );
    const lambda = new LambdaFunction(this, options.id, {
      description: `Snapferry - ${options.description}`,
      runtime: Runtime.PROVIDED_AL2023,
      handler: 'bootstrap',
      code: Code.fromAsset(this.package(options.name, isInline ? undefined : policy)),
      architecture: this.props.architecture ?? Architecture.X86_64,
      // Half a vCPU's worth of memory: the functions need far less memory, but TLS wants the processor.
      memorySize: 512,
      timeout: Duration.minutes(5),
      role,
      // Not JSON: there the log level would filter the audit records.
      loggingFormat: LoggingFormat.TEXT,
      logGroup: logs,
      environment: {
        SNAPFERRY_POLICY: isInline ? policy : 'policy.json',
        AWS_LAMBDA_LOG_LEVEL: this.props.logLevel ?? LogLevel.INFO,
        ...options.environment,
      },
    });
    return { lambda, role, logs };
  }

  /** The function's folder; one made for this policy when the environment has no room for it. */
  private package(name: string, policy?: string): string {
    const built = join(this.props.builtFunctions ?? join(REPOSITORY, 'target', 'lambda'), name);
    if (!existsSync(join(built, 'bootstrap'))) {
      throw new Error(`${this.node.path}: ${join(built, 'bootstrap')} does not exist: run \`make build\``);
    }
    if (policy === undefined) {
      return built;
    }
    const packed = mkdtempSync(join(tmpdir(), `${name}-`));
    cpSync(built, packed, { recursive: true });
    writeFileSync(join(packed, 'policy.json'), policy);
    return packed;
  }

  private runOnSchedule(started: LambdaFunction, timer: Timer): void {
    // The next run does all that a failed one left, so a retry would only run beside it.
    new CfnEventInvokeConfig(this, `${started.node.id}EventInvokeConfig`, {
      functionName: started.functionName,
      qualifier: '$LATEST',
      maximumRetryAttempts: 0,
    });
    const role = this.role(
      `${timer.id}TimerRole`,
      `lets the schedule start ${timer.name}.`,
      schedules(),
      permissions.ofTimer(timer.name, started.functionArn, this.undeliveredQueue.queueArn),
    );
    this.schedule(timer, {
      arn: started.functionArn,
      roleArn: role.roleArn,
      input: '{"run":"<aws.scheduler.execution-id>"}',
    });
  }

  private schedule({ id, description, expression }: Timer, target: CfnSchedule.TargetProperty): void {
    const { timeZone = TimeZone.ETC_UTC } = expression;
    new CfnSchedule(this, `${id}Timer`, {
      description: `Snapferry - ${description}`,
      scheduleExpression: expression.expressionString,
      ...(timeZone !== TimeZone.ETC_UTC && { scheduleExpressionTimezone: timeZone.timezoneName }),
      flexibleTimeWindow: { mode: 'OFF' },
      target: { ...target, deadLetterConfig: { arn: this.undeliveredQueue.queueArn } },
    });
  }

  private watched(): Watched {
    const { props } = this;
    return {
      copySharedSnapshots: this.copySharedSnapshots,
      verifyCopies: this.verifyCopies,
      deleteExpiredCopies: this.deleteExpiredCopies,
      copierDeadLetterQueue: this.copierDeadLetterQueue,
      undeliveredQueue: this.undeliveredQueue,
      unprotectedHours: props.unprotectedAlarmHours ?? 24,
      silentOwnerHours: props.silentOwnerAlarmHours ?? 48,
      sweepMissingHours: props.sweepMissingAlarmHours ?? 2,
      runbookUrl: props.runbookUrl ?? 'RUNBOOK.md',
      ...(props.alarmTopic && { topic: props.alarmTopic }),
    };
  }

  private outputs(): void {
    for (const [id, description, value] of [
      ['CopySharedSnapshotsFunction', 'The function that copies.', this.copySharedSnapshots.functionName],
      ['VerifyCopiesFunction', 'The function that verifies and locks.', this.verifyCopies.functionName],
      ['DeleteExpiredCopiesFunction', 'The function that deletes.', this.deleteExpiredCopies.functionName],
      ['CopySharedSnapshotsLogGroup', 'The audit records of copying.', this.copySharedSnapshotsLogs.logGroupName],
      ['VerifyCopiesLogGroup', 'The audit records of verifying and locking.', this.verifyCopiesLogs.logGroupName],
      ['DeleteExpiredCopiesLogGroup', 'The audit records of deleting.', this.deleteExpiredCopiesLogs.logGroupName],
      [
        'CopySharedSnapshotsRoleArn',
        "The role that uses the source accounts' keys; their key policies may name it instead of the whole account.",
        this.copySharedSnapshotsRole.roleArn,
      ],
      ['VerifyCopiesRoleArn', 'The role that tags and locks copies.', this.verifyCopiesRole.roleArn],
      [
        'DeleteExpiredCopiesRoleArn',
        'The only role of this stack that can delete.',
        this.deleteExpiredCopiesRole.roleArn,
      ],
      ['CopierQueueUrl', 'The queue of share events and sweep ticks.', this.copierQueue.queueUrl],
      ['CopierDeadLetterQueueUrl', 'What the copier gave up on.', this.copierDeadLetterQueue.queueUrl],
      ['DashboardName', 'The CloudWatch dashboard.', this.dashboard.ref],
      ['UndeliveredQueueUrl', 'What the rule and the schedules could not deliver.', this.undeliveredQueue.queueUrl],
    ] as const) {
      new CfnOutput(this, id, { description, value });
    }
  }
}

function schedules(): ServicePrincipal {
  // Schedules of this account and Region, in the group that these are in, act in the role.
  const group = `arn:${Aws.PARTITION}:scheduler:${Aws.REGION}:${Aws.ACCOUNT_ID}:schedule-group/default`;
  return new ServicePrincipal('scheduler.amazonaws.com', {
    conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID, 'aws:SourceArn': group } },
  });
}

function atMost(options?: MetricOptions): MetricOptions {
  return { statistic: Stats.MAXIMUM, ...options };
}
