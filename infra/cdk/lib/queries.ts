import { Aws } from 'aws-cdk-lib';
import { CfnQueryDefinition, type ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';

/** The log groups with the audit records of each function. */
export interface AuditLogs {
  readonly copying: ILogGroup;
  readonly verifying: ILogGroup;
  readonly deleting: ILogGroup;
}

/** A saved query of CloudWatch Logs Insights. */
interface Query {
  readonly id: string;
  readonly name: string;
  readonly logs: ILogGroup[];
  readonly lines: string[];
}

/** Saves the queries under the stack's name, as infra/sam/template.yaml has them. */
export function createQueries(scope: Construct, logs: AuditLogs): void {
  for (const { id, name, logs: groups, lines } of queries(logs)) {
    new CfnQueryDefinition(scope, id, {
      name: `${Aws.STACK_NAME}/${name}`,
      logGroupNames: groups.map((group) => group.logGroupName),
      queryString: lines.join('\n'),
    });
  }
}

function queries({ copying, verifying, deleting }: AuditLogs): Query[] {
  const all = [copying, verifying, deleting];
  return [
    // Source or copy: put its ID in place of snap-0123456789abcdef0.
    {
      id: 'SnapshotDecisionsQuery',
      name: 'All decisions about one snapshot',
      logs: all,
      lines: [
        'fields @timestamp, event, reason, policy, copy.region, copy.snapshot, message',
        '| filter source.snapshot = "snap-0123456789abcdef0" or copy.snapshot = "snap-0123456789abcdef0"',
        '| sort @timestamp asc',
        '| limit 1000',
      ],
    },
    // Put the source account in place of 111122223333.
    {
      id: 'AccountCopiesQuery',
      name: 'All copies from one account',
      logs: all,
      lines: [
        'fields @timestamp, event, reason, source.snapshot, source.volume, copy.region, copy.snapshot, copy.expireAfter',
        '| filter source.account = "111122223333" and event in ["copy.started", "copy.verified", "copy.failed", "copy.rejected"]',
        '| sort @timestamp asc',
        '| limit 1000',
      ],
    },
    // Refused, deferred or kept; the reasons are explained in the runbook.
    {
      id: 'RefusalsQuery',
      name: 'What was not done, by reason',
      logs: all,
      lines: [
        'filter event in ["copy.refused", "copy.deferred", "copy.kept"]',
        '| stats count(*) as records, latest(message) as lastMessage by event, reason, copy.region',
        '| sort records desc',
      ],
    },
    // Every copy that was deleted, since when its time was over, and why it was dispensable.
    {
      id: 'DeletionsQuery',
      name: 'Deletions with their expiry',
      logs: [deleting],
      lines: [
        'fields @timestamp, copy.snapshot, copy.region, copy.expireAfter, reason, source.snapshot, source.account, message',
        '| filter event = "copy.expired"',
        '| sort @timestamp desc',
        '| limit 1000',
      ],
    },
    // What failed, in EC2's words and in Snapferry's; the message says what to do, and in which account.
    {
      id: 'FailuresQuery',
      name: 'Failures with remedies',
      logs: [copying, verifying],
      lines: [
        'fields @timestamp, event, reason, source.account, source.snapshot, copy.region, copy.snapshot, error.code, error.message, message',
        '| filter event in ["copy.failed", "copy.rejected", "copy.stalled"] or (event = "copy.locked" and ispresent(error.code))',
        '| sort @timestamp desc',
        '| limit 1000',
      ],
    },
    // Seconds from the start of the source to the verdict verified.
    {
      id: 'TimeToProtectQuery',
      name: 'Time to protect',
      logs: [verifying],
      lines: [
        'filter event = "copy.verified"',
        '| stats count(*) as copies, pct(copy.secondsSinceSource, 50) as median, pct(copy.secondsSinceSource, 90) as p90, pct(copy.secondsSinceSource, 99) as p99, max(copy.secondsSinceSource) as longest by policy, copy.region',
        '| sort longest desc',
      ],
    },
    // Each owner's newest snapshot as the last sweep saw it, the most silent first.
    {
      id: 'SilentOwnersQuery',
      name: 'Who is silent',
      logs: [copying],
      lines: [
        'filter event = "sweep.owner"',
        '| stats latest(owner.newest) as newest, latest(HoursSinceLastShare) as hours, latest(reason) as lastSeen by owner.account',
        '| sort hours desc',
      ],
    },
  ];
}
