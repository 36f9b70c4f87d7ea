import { Metric, type MetricOptions, Stats } from 'aws-cdk-lib/aws-cloudwatch';

/** The namespace of the metrics that ride on the audit lines. */
const NAMESPACE = 'Snapferry';

/** One of them: without dimensions it is that of all policies and target Regions. */
export function snapferryMetric(metricName: string, options?: MetricOptions): Metric {
  return new Metric({ namespace: NAMESPACE, metricName, statistic: Stats.SUM, ...options });
}
