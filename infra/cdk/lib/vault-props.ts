import type { IManagedPolicy } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Architecture } from 'aws-cdk-lib/aws-lambda';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import type { ITopic } from 'aws-cdk-lib/aws-sns';

import type { GetLifecyclePolicyResponse, PolicyDetails } from './policy';

/** How much the functions say about their own work. Audit records are written whatever this is. */
export enum LogLevel {
  ERROR = 'error',
  WARN = 'warn',
  INFO = 'info',
  DEBUG = 'debug',
  TRACE = 'trace',
}

/** The options of a vault. Exactly one of `policy`, `policies` and `policyFile` says what is copied. */
export interface SnapshotVaultProps {
  /** The event-based DLM policy. */
  readonly policy?: PolicyDetails;
  /** Several of them, each with its own `PolicyId`. */
  readonly policies?: GetLifecyclePolicyResponse[];
  /** A file with a policy document: `PolicyDetails`, what `aws dlm get-lifecycle-policy` prints, or an array of those. */
  readonly policyFile?: string;
  /**
   * The source accounts' KMS keys under which they encrypt what they share. Their key policies must allow this
   * account too. A role has room for some 240.
   *
   * @default - none: the shared snapshots are not encrypted
   */
  readonly sourceKeyArns?: string[];
  /**
   * The sweep ignores snapshots that were started before this time (RFC 3339), so that switching on does not copy
   * years of history.
   *
   * @default - it copies everything that is shared and matches
   */
  readonly sweepSince?: string;
  /**
   * How many copies one run may delete, oldest expiry first. The rest waits for the next run.
   *
   * @default 100
   */
  readonly maxDeletesPerRun?: number;
  /**
   * Set to true for as long as it takes when a shorter retention really means that more than half of all verified
   * copies go at once. Otherwise that is taken for a wrong clock, and nothing is deleted.
   *
   * @default false
   */
  readonly allowMassExpiry?: boolean;
  /**
   * Regions that the policy no longer targets and whose copies shall still be verified and expire.
   *
   * @default - none
   */
  readonly retiredRegions?: string[];
  /**
   * How often to compare all that is shared with all that is copied, and to copy what is missing.
   *
   * @default - every 15 minutes
   */
  readonly sweepSchedule?: ScheduleExpression;
  /**
   * How often to look whether started copies have become what the policy asked for.
   *
   * @default - every 5 minutes
   */
  readonly verifySchedule?: ScheduleExpression;
  /**
   * How often to delete the copies whose retention is over.
   *
   * @default - every hour
   */
  readonly expirySchedule?: ScheduleExpression;
  /**
   * How long the audit records are kept. The log groups outlive the stack.
   *
   * @default RetentionDays.ONE_YEAR
   */
  readonly logRetention?: RetentionDays;
  /**
   * A KMS key for the log groups. The policy of a key that this app creates is told to let CloudWatch Logs use it; that
   * of an imported key must say so already (the repository's README has the statement).
   *
   * @default - CloudWatch's own encryption
   */
  readonly logKey?: IKey;
  /** @default LogLevel.INFO */
  readonly logLevel?: LogLevel;
  /**
   * The SNS topic that hears of alarms.
   *
   * @default - the alarms exist and tell nobody
   */
  readonly alarmTopic?: ITopic;
  /**
   * Alarm when a shared snapshot that the policy wants has been without a verified copy for longer than so many hours.
   *
   * @default 24
   */
  readonly unprotectedAlarmHours?: number;
  /**
   * Alarm when the newest snapshot that an owner shares and the policy wants was started more than so many hours ago.
   * 0: no such alarm.
   *
   * @default 48
   */
  readonly silentOwnerAlarmHours?: number;
  /**
   * Alarm when no sweep has ended for so many hours. Must be longer than the time between two sweeps.
   *
   * @default 2
   */
  readonly sweepMissingAlarmHours?: number;
  /**
   * Where your operators read RUNBOOK.md; each alarm's description links to its section there.
   *
   * @default RUNBOOK.md
   */
  readonly runbookUrl?: string;
  /**
   * What the binaries were built for: `make build` builds x86_64, `make build ARCH=arm64` the other.
   *
   * @default Architecture.X86_64
   */
  readonly architecture?: Architecture;
  /**
   * The IAM path of the roles.
   *
   * @default /
   */
  readonly rolePath?: string;
  /**
   * An IAM policy that bounds the permissions of the roles.
   *
   * @default - none
   */
  readonly permissionsBoundary?: IManagedPolicy;
  /**
   * The folder with a folder per function, each with its `bootstrap`.
   *
   * @default - target/lambda in this checkout, where `make build` leaves them
   */
  readonly builtFunctions?: string;
}
