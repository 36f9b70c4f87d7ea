import { Aws, Stack } from 'aws-cdk-lib';
import { type Alarm, CfnDashboard, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';

import type { VaultAlarms } from './alarms';
import type { AuditLogs } from './queries';

/** Where a widget is, and what it shows. */
interface Widget {
  readonly type: 'alarm' | 'metric' | 'log';
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly properties: Record<string, unknown>;
}

/** A curve, or those that a search finds. */
type Curve = string[] | { id: string; label: string; expression: string }[];

/** What a widget with curves is made of. */
interface Chart {
  readonly at: readonly [x: number, y: number];
  readonly width: number;
  readonly title: string;
  readonly statistic: string;
  readonly period: number;
  /** The unit of the left axis; none when the curves have several. */
  readonly unit?: string;
  readonly curves: Curve[];
}

const SWEEP = 900;
const HOUR = 3600;

/** What an operator looks at first, as infra/sam/template.yaml has it. */
export function createDashboard(scope: Construct, alarms: VaultAlarms, logs: AuditLogs): CfnDashboard {
  const widgets = [alarmWidget(alarms), ...charts().map(chartWidget), failures(logs)].sort(
    (one, other) => one.y - other.y || one.x - other.x,
  );
  return new CfnDashboard(scope, 'Dashboard', { dashboardBody: Stack.of(scope).toJsonString({ widgets }) });
}

function alarmWidget({ silentOwnerAlarm, ...alarms }: VaultAlarms): Widget {
  const shown: Alarm[] = [
    alarms.unprotectedAlarm,
    alarms.copyFailedAlarm,
    alarms.copyRejectedAlarm,
    alarms.attemptsExhaustedAlarm,
    alarms.keyUnusableAlarm,
    alarms.tagsMalformedAlarm,
    alarms.massExpiryAlarm,
    alarms.eventInvalidAlarm,
    alarms.sweepMissingAlarm,
    alarms.copierDeadLetterAlarm,
    alarms.undeliveredAlarm,
    alarms.copySharedSnapshotsErrorsAlarm,
    alarms.verifyCopiesErrorsAlarm,
    alarms.deleteExpiredCopiesErrorsAlarm,
    alarms.copySharedSnapshotsThrottlesAlarm,
    alarms.verifyCopiesThrottlesAlarm,
    alarms.deleteExpiredCopiesThrottlesAlarm,
    alarms.copySharedSnapshotsDurationAlarm,
    alarms.verifyCopiesDurationAlarm,
    alarms.deleteExpiredCopiesDurationAlarm,
    ...(silentOwnerAlarm ? [silentOwnerAlarm] : []),
  ];
  const properties = { title: 'Alarms', alarms: shown.map((alarm) => alarm.alarmArn) };
  return { type: 'alarm', x: 0, y: 0, width: 24, height: 4, properties };
}

function chartWidget({ at: [x, y], width, title, statistic, period, unit, curves }: Chart): Widget {
  const left = { min: 0, ...(unit !== undefined && { label: unit, showUnits: false }) };
  return {
    type: 'metric',
    x,
    y,
    width,
    height: 6,
    properties: {
      title,
      region: Aws.REGION,
      view: 'timeSeries',
      stat: statistic,
      period,
      yAxis: { left },
      metrics: curves,
    },
  };
}

function failures({ copying, verifying, deleting }: AuditLogs): Widget {
  const sources = [copying, verifying, deleting].map((logs) => `SOURCE '${logs.logGroupName}' | `).join('');
  const query =
    "filter event in ['copy.failed', 'copy.rejected', 'copy.refused', 'copy.stalled'] " +
    '| stats count(*) as records by event, reason, copy.region | sort records desc';
  const properties = { title: 'Failures by cause', region: Aws.REGION, view: 'table', query: `${sources}${query}` };
  return { type: 'log', x: 0, y: 22, width: 12, height: 6, properties };
}

function charts(): Chart[] {
  return [...coverage(), ...outcomes(), ...expiry()];
}

function coverage(): Chart[] {
  const common = { statistic: Stats.MAXIMUM, period: SWEEP };
  return [
    {
      ...common,
      at: [0, 4],
      width: 12,
      title: 'Coverage of all that is shared and wanted',
      unit: 'copies',
      curves: totals('Protected', 'InFlight', 'Unprotected'),
    },
    {
      ...common,
      at: [12, 4],
      width: 12,
      title: 'Not proven protected, by target Region',
      unit: 'copies',
      curves: [byTargetRegion('unprotected', 'Unprotected')],
    },
    {
      ...common,
      at: [0, 10],
      width: 8,
      title: 'In flight, by target Region',
      unit: 'copies',
      curves: [byTargetRegion('inFlight', 'InFlight')],
    },
    {
      ...common,
      at: [8, 10],
      width: 8,
      title: 'Unprotected for so long, by target Region',
      unit: 'hours',
      curves: [byTargetRegion('oldest', 'OldestUnprotectedHours')],
    },
    {
      ...common,
      at: [16, 10],
      width: 8,
      title: "Since each owner's newest snapshot",
      unit: 'hours',
      curves: [search('silence', '', 'SnapshotOwner', 'HoursSinceLastShare', Stats.MAXIMUM, SWEEP)],
    },
  ];
}

function outcomes(): Chart[] {
  return [
    {
      at: [0, 16],
      width: 12,
      title: 'Time to protect, by policy and target Region: median and 90th percentile',
      statistic: Stats.MAXIMUM,
      period: HOUR,
      unit: 'seconds',
      curves: [
        byPolicy('median', 'median ', 'TimeToProtect', Stats.p(50)),
        byPolicy('most', '90 % ', 'TimeToProtect', Stats.p(90)),
      ],
    },
    {
      at: [12, 16],
      width: 12,
      title: 'Copies started and what became of them',
      statistic: Stats.SUM,
      period: HOUR,
      unit: 'copies',
      curves: totals(
        'CopiesStarted',
        'CopiesVerified',
        'CopiesFailed',
        'CopiesRejected',
        'CopiesStalled',
        'CopiesDeferred',
        'CopiesRefused',
      ),
    },
    {
      at: [12, 22],
      width: 12,
      title: 'Failures, by policy and target Region',
      statistic: Stats.SUM,
      period: HOUR,
      unit: 'copies',
      curves: [
        byPolicy('failed', 'failed ', 'CopiesFailed', Stats.SUM),
        byPolicy('rejected', 'rejected ', 'CopiesRejected', Stats.SUM),
      ],
    },
  ];
}

function expiry(): Chart[] {
  return [
    {
      at: [0, 28],
      width: 12,
      title: 'Expiry, by policy and target Region',
      statistic: Stats.SUM,
      period: HOUR,
      unit: 'copies',
      curves: [
        byPolicy('expired', 'expired ', 'CopiesExpired', Stats.SUM),
        byPolicy('kept', 'kept ', 'CopiesKept', Stats.SUM),
      ],
    },
    {
      at: [12, 28],
      width: 12,
      title: 'Expiry, locks and keys: what was refused',
      statistic: Stats.MAXIMUM,
      period: HOUR,
      curves: totals(
        'DeletionsRefused',
        'MassExpiriesRefused',
        'LocksFailed',
        'KeysUnusable',
        'AttemptsExhausted',
        'TagsMalformed',
      ),
    },
  ];
}

function totals(...names: string[]): Curve[] {
  return names.map((name) => ['Snapferry', name]);
}

function byTargetRegion(id: string, metric: string): Curve {
  return search(id, '', 'TargetRegion', metric, Stats.MAXIMUM, SWEEP);
}

function byPolicy(id: string, label: string, metric: string, statistic: string): Curve {
  return search(id, label, 'PolicyId,TargetRegion', metric, statistic, HOUR);
}

function search(id: string, label: string, by: string, metric: string, statistic: string, period: number): Curve {
  const expression = `SEARCH('{Snapferry,${by}} MetricName="${metric}"', '${statistic}', ${String(period)})`;
  return [{ id, label, expression }];
}
