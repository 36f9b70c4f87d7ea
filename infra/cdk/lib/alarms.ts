import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';

/** What an alarm watches, and what it says. */
interface Watch {
  readonly description: string;
  readonly metric: IMetric;
}

/** What the alarms watch. */
export interface Watched {
  readonly copierDeadLetters: IMetric;
  readonly undelivered: IMetric;
}

/** The alarms, by the names that they have in infra/sam/template.yaml. */
export interface VaultAlarms {
  /** The copier gave up on a message. */
  readonly copierDeadLetterAlarm: Alarm;
  /** The rule or a schedule could not deliver. */
  readonly undeliveredAlarm: Alarm;
}

/** Creates the alarms in `scope`; without a topic they exist and tell nobody. */
export function createAlarms(scope: Construct, watched: Watched, topic?: ITopic): VaultAlarms {
  const alarm = (id: string, { description, metric }: Watch): Alarm => {
    const created = new Alarm(scope, id, {
      alarmDescription: `Snapferry - ${description}`,
      metric,
      threshold: 0,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    if (topic) {
      const notify = new SnsAction(topic);
      created.addAlarmAction(notify);
      created.addOkAction(notify);
    }
    return created;
  };
  return {
    // One message here is one event or tick that the copier failed on five times.
    copierDeadLetterAlarm: alarm('CopierDeadLetterAlarm', {
      description:
        'the copier gave up on a message. The sweep still copies what is shared; find out what the message was.',
      metric: watched.copierDeadLetters,
    }),
    // One message here is an event or a start that AWS could not deliver for a day: a permission or a queue is gone.
    undeliveredAlarm: alarm('UndeliveredAlarm', {
      description:
        "a share event or a schedule's start could not be delivered. Look at the queue policy and the roles.",
      metric: watched.undelivered,
    }),
  };
}

/** How often the alarms look. */
export const ALARM_PERIOD = Duration.minutes(5);
