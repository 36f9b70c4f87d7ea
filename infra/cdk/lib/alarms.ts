import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IMetric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

import { snapferryMetric } from './metrics';

/** The alarms, by the names that they have in infra/sam/template.yaml. RUNBOOK.md has a section for each. */
export interface VaultAlarms {
  /** The promise itself: not one copy failed, but something has no good copy, for whatever reason. */
  readonly unprotectedAlarm: Alarm;
  /** EC2 refused a request, or gave up on a copy minutes or hours later. */
  readonly copyFailedAlarm: Alarm;
  /** A finished copy under a wrong key, or not encrypted, is worse than none. */
  readonly copyRejectedAlarm: Alarm;
  /** Five failures within a day: Snapferry leaves the snapshot alone until somebody looks. */
  readonly attemptsExhaustedAlarm: Alarm;
  /** A key that the policy names cannot encrypt. */
  readonly keyUnusableAlarm: Alarm;
  /** Only somebody in this account can have done that. */
  readonly tagsMalformedAlarm: Alarm;
  /** A clock that is wrong by years, or a policy that would empty the vault. */
  readonly massExpiryAlarm: Alarm;
  /** Something that is no event came through the rule's queue or by hand. */
  readonly eventInvalidAlarm: Alarm;
  /** The most silent of all owners; absent when it is switched off. */
  readonly silentOwnerAlarm?: Alarm;
  /** The dead man's switch: whatever stops Snapferry, it stops the sweeps. */
  readonly sweepMissingAlarm: Alarm;
  /** The copier gave up on a message. */
  readonly copierDeadLetterAlarm: Alarm;
  /** The rule or a schedule could not deliver. */
  readonly undeliveredAlarm: Alarm;
  /** A run crashed, ran out of time, or never began. */
  readonly copySharedSnapshotsErrorsAlarm: Alarm;
  readonly verifyCopiesErrorsAlarm: Alarm;
  readonly deleteExpiredCopiesErrorsAlarm: Alarm;
  /** Lambda starts a throttled run later; only when it goes on, something is short. */
  readonly copySharedSnapshotsThrottlesAlarm: Alarm;
  readonly verifyCopiesThrottlesAlarm: Alarm;
  readonly deleteExpiredCopiesThrottlesAlarm: Alarm;
  /** Runs need four fifths of their timeout. */
  readonly copySharedSnapshotsDurationAlarm: Alarm;
  readonly verifyCopiesDurationAlarm: Alarm;
  readonly deleteExpiredCopiesDurationAlarm: Alarm;
}

/** What the alarms watch, and whom they tell. */
export interface Watched {
  readonly copySharedSnapshots: LambdaFunction;
  readonly verifyCopies: LambdaFunction;
  readonly deleteExpiredCopies: LambdaFunction;
  readonly copierDeadLetterQueue: IQueue;
  readonly undeliveredQueue: IQueue;
  readonly unprotectedHours: number;
  /** 0: no such alarm. */
  readonly silentOwnerHours: number;
  readonly sweepMissingHours: number;
  readonly runbookUrl: string;
  /** Without one the alarms exist and tell nobody. */
  readonly topic?: ITopic;
}

/** When a metric is an alarm, and what that means. */
interface Rule {
  /** What has happened, in sentences. */
  readonly says: string;
  /** Why it does not flap. */
  readonly steady: string;
  /** The section of RUNBOOK.md, where several alarms have one; else the alarm's own. */
  readonly section?: string;
  readonly metric: IMetric;
  readonly evaluationPeriods: number;
  readonly datapointsToAlarm?: number;
  readonly threshold: number;
  readonly comparisonOperator?: ComparisonOperator;
  readonly treatMissingData: TreatMissingData;
}

/** The function's name, as it is told to people. */
type FunctionName = 'copy-shared-snapshots' | 'verify-copies' | 'delete-expired-copies';

const MINUTES = Duration.minutes(5);
const HOUR = Duration.hours(1);
const DAY_IN_HOURS = 24;
const HOUR_IN_PERIODS = 12;
/** Four fifths of the timeout, in milliseconds. A run that comes near its end leaves the rest to the next. */
const LONG_RUN = 240_000;

const EACH_SWEEP = 'every sweep tells the state anew, and it stays as it is between sweeps';
const ONE_AN_HOUR = 'one occurrence holds it for an hour, and further ones within it change nothing';
const UNTIL_TAKEN = 'messages stay for two weeks or until somebody takes them out';

/** Creates the alarms in `scope`. */
export function createAlarms(scope: Construct, watched: Watched): VaultAlarms {
  const alarm = (id: string, { says, steady, section = id.toLowerCase(), ...rule }: Rule): Alarm => {
    const made = new Alarm(scope, id, {
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      ...rule,
      alarmDescription: `Snapferry - ${says} It does not flap, because ${steady}. See ${watched.runbookUrl}#${section}`,
    });
    if (watched.topic) {
      const notify = new SnsAction(watched.topic);
      made.addAlarmAction(notify);
      made.addOkAction(notify);
    }
    return made;
  };
  const { copySharedSnapshots, verifyCopies, deleteExpiredCopies } = watched;
  return {
    ...ofCopies(alarm, watched),
    ...ofSweeps(alarm, watched),
    ...ofQueues(alarm, watched),
    copySharedSnapshotsErrorsAlarm: alarm(
      'CopySharedSnapshotsErrorsAlarm',
      errors('copy-shared-snapshots', copySharedSnapshots),
    ),
    verifyCopiesErrorsAlarm: alarm('VerifyCopiesErrorsAlarm', errors('verify-copies', verifyCopies)),
    deleteExpiredCopiesErrorsAlarm: alarm(
      'DeleteExpiredCopiesErrorsAlarm',
      errors('delete-expired-copies', deleteExpiredCopies),
    ),
    copySharedSnapshotsThrottlesAlarm: alarm(
      'CopySharedSnapshotsThrottlesAlarm',
      throttles('copy-shared-snapshots', copySharedSnapshots),
    ),
    verifyCopiesThrottlesAlarm: alarm('VerifyCopiesThrottlesAlarm', throttles('verify-copies', verifyCopies)),
    deleteExpiredCopiesThrottlesAlarm: alarm(
      'DeleteExpiredCopiesThrottlesAlarm',
      throttles('delete-expired-copies', deleteExpiredCopies),
    ),
    copySharedSnapshotsDurationAlarm: alarm(
      'CopySharedSnapshotsDurationAlarm',
      duration('copy-shared-snapshots', copySharedSnapshots),
    ),
    verifyCopiesDurationAlarm: alarm('VerifyCopiesDurationAlarm', duration('verify-copies', verifyCopies)),
    deleteExpiredCopiesDurationAlarm: alarm(
      'DeleteExpiredCopiesDurationAlarm',
      duration('delete-expired-copies', deleteExpiredCopies),
    ),
  };
}

type Make = (id: string, rule: Rule) => Alarm;

/** What became of copies, and of events. */
function ofCopies(
  alarm: Make,
  { unprotectedHours }: Watched,
): Pick<
  VaultAlarms,
  'unprotectedAlarm' | 'copyFailedAlarm' | 'copyRejectedAlarm' | 'massExpiryAlarm' | 'eventInvalidAlarm'
> {
  return {
    unprotectedAlarm: alarm('UnprotectedAlarm', {
      says: `a shared snapshot that the policy wants has had no verified copy for more than ${String(unprotectedHours)} hours.`,
      steady:
        'every sweep of an hour must have found it so, and one protected snapshot more does not end it while another is not',
      metric: snapferryMetric('OldestUnprotectedHours', { statistic: Stats.MINIMUM, period: HOUR }),
      evaluationPeriods: 1,
      threshold: unprotectedHours,
      treatMissingData: TreatMissingData.IGNORE,
    }),
    copyFailedAlarm: alarm('CopyFailedAlarm', {
      says: 'EC2 refused to start a copy or gave up on one.',
      ...onceAnHour('CopiesFailed'),
    }),
    copyRejectedAlarm: alarm('CopyRejectedAlarm', {
      says: 'a finished copy is not what the policy asked for.',
      ...onceAnHour('CopiesRejected'),
    }),
    massExpiryAlarm: alarm('MassExpiryAlarm', {
      says: 'nothing is deleted, because the clock is wrong or more than half of all verified copies are due at once.',
      steady: 'one refused run holds it for a day, and expiry runs more often',
      metric: snapferryMetric('MassExpiriesRefused', { period: HOUR }),
      evaluationPeriods: DAY_IN_HOURS,
      datapointsToAlarm: 1,
      threshold: 0,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    }),
    eventInvalidAlarm: alarm('EventInvalidAlarm', {
      says: 'an event could not be read. It was dropped; the sweep copies what is shared all the same.',
      ...onceAnHour('EventsInvalid'),
    }),
  };
}

/** What a sweep finds, and that there is one. */
function ofSweeps(
  alarm: Make,
  { silentOwnerHours, sweepMissingHours }: Watched,
): Pick<
  VaultAlarms,
  'attemptsExhaustedAlarm' | 'keyUnusableAlarm' | 'tagsMalformedAlarm' | 'silentOwnerAlarm' | 'sweepMissingAlarm'
> {
  return {
    attemptsExhaustedAlarm: alarm('AttemptsExhaustedAlarm', {
      says: "a snapshot's copies failed five times within a day, and are not tried again today.",
      ...eachSweep('AttemptsExhausted'),
    }),
    keyUnusableAlarm: alarm('KeyUnusableAlarm', {
      says: 'a key that the policy names cannot encrypt copies. Verified copies under it may not be restorable either.',
      ...eachSweep('KeysUnusable'),
    }),
    tagsMalformedAlarm: alarm('TagsMalformedAlarm', {
      says: "somebody changed Snapferry's tags on a snapshot.",
      ...eachSweep('TagsMalformed'),
    }),
    ...(silentOwnerHours > 0 && {
      silentOwnerAlarm: alarm('SilentOwnerAlarm', {
        says: `an owner has shared no snapshot that the policy wants for more than ${String(silentOwnerHours)} hours.`,
        steady: 'silence only grows until the owner shares again',
        metric: snapferryMetric('MostSilentOwnerHours', { statistic: Stats.MINIMUM, period: HOUR }),
        evaluationPeriods: 1,
        threshold: silentOwnerHours,
        treatMissingData: TreatMissingData.IGNORE,
      }),
    }),
    sweepMissingAlarm: alarm('SweepMissingAlarm', {
      says: `no sweep has ended for ${String(sweepMissingHours)} hours. Alarms about what a sweep finds mean nothing until it does.`,
      steady:
        'one sweep ends it and only hours without any bring it back; after the first deployment it is on until the first sweep ends',
      metric: snapferryMetric('SweepsCompleted', { period: HOUR }),
      evaluationPeriods: sweepMissingHours,
      threshold: 1,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      // Missing data is the alarm.
      treatMissingData: TreatMissingData.BREACHING,
    }),
  };
}

/** What could not be handled or delivered. */
function ofQueues(
  alarm: Make,
  { copierDeadLetterQueue, undeliveredQueue }: Watched,
): Pick<VaultAlarms, 'copierDeadLetterAlarm' | 'undeliveredAlarm'> {
  const anyIn = (queue: IQueue): Omit<Rule, 'says'> => ({
    steady: UNTIL_TAKEN,
    metric: queue.metricApproximateNumberOfMessagesVisible({ statistic: Stats.MAXIMUM, period: MINUTES }),
    evaluationPeriods: 1,
    threshold: 0,
    treatMissingData: TreatMissingData.NOT_BREACHING,
  });
  return {
    // One message here is one event or tick that the copier failed on five times.
    copierDeadLetterAlarm: alarm('CopierDeadLetterAlarm', {
      says: 'the copier gave up on a message. The sweep still copies what is shared; find out what the message was.',
      ...anyIn(copierDeadLetterQueue),
    }),
    // One message here is an event or a start that AWS could not deliver for a day: a permission or a queue is gone.
    undeliveredAlarm: alarm('UndeliveredAlarm', {
      says: "a share event or a schedule's start could not be delivered. Look at the queue policy and the roles.",
      ...anyIn(undeliveredQueue),
    }),
  };
}

function onceAnHour(metricName: string): Omit<Rule, 'says'> {
  return {
    steady: ONE_AN_HOUR,
    metric: snapferryMetric(metricName, { period: MINUTES }),
    evaluationPeriods: HOUR_IN_PERIODS,
    datapointsToAlarm: 1,
    threshold: 0,
    treatMissingData: TreatMissingData.NOT_BREACHING,
  };
}

function eachSweep(metricName: string): Omit<Rule, 'says'> {
  return {
    steady: EACH_SWEEP,
    metric: snapferryMetric(metricName, { statistic: Stats.MAXIMUM, period: HOUR }),
    evaluationPeriods: 1,
    threshold: 0,
    treatMissingData: TreatMissingData.IGNORE,
  };
}

/** What went wrong within a run is in the audit instead. */
function errors(name: FunctionName, watched: LambdaFunction): Rule {
  return {
    says: `a run of ${name} ended in an error.`,
    section: 'function-errors',
    steady: ONE_AN_HOUR,
    metric: watched.metricErrors({ statistic: Stats.SUM, period: MINUTES }),
    evaluationPeriods: HOUR_IN_PERIODS,
    datapointsToAlarm: 1,
    threshold: 0,
    treatMissingData: TreatMissingData.NOT_BREACHING,
  };
}

function throttles(name: FunctionName, watched: LambdaFunction): Rule {
  return {
    says: `Lambda keeps throttling ${name}.`,
    section: 'function-throttles',
    steady: 'three of the last twelve periods of five minutes must be throttled, and single ones are not told',
    metric: watched.metricThrottles({ statistic: Stats.SUM, period: MINUTES }),
    evaluationPeriods: HOUR_IN_PERIODS,
    datapointsToAlarm: 3,
    threshold: 0,
    treatMissingData: TreatMissingData.NOT_BREACHING,
  };
}

function duration(name: FunctionName, watched: LambdaFunction): Rule {
  return {
    says: `${name} needs almost all of its time.`,
    section: 'function-duration',
    steady: 'three of the last six hours must have had such a run',
    metric: watched.metricDuration({ statistic: Stats.MAXIMUM, period: HOUR }),
    evaluationPeriods: 6,
    datapointsToAlarm: 3,
    threshold: LONG_RUN,
    treatMissingData: TreatMissingData.NOT_BREACHING,
  };
}
