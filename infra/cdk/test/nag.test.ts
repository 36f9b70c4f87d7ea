import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { App, Stack, Validations } from 'aws-cdk-lib';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { AwsSolutionsChecks } from 'cdk-nag';

import { SnapshotSource, SnapshotVault, type SnapshotVaultProps } from '../lib';
import { ACKNOWLEDGED } from '../lib/acknowledged';
import { builtFunctions, DATABASES, EXAMPLE_POLICY, examplePolicy, owners, sourceKeys, temporaryFolder } from './scene';

interface Report {
  readonly pluginReports: {
    readonly violations: { readonly ruleName: string }[];
    readonly suppressedViolations: { readonly acknowledgedId: string; readonly acknowledgedAt: string }[];
  }[];
}

function report(fill: (stack: Stack) => void, env?: { account: string; region: string }): Report['pluginReports'][0] {
  const directory = temporaryFolder();
  const app = new App({ analyticsReporting: false, outdir: directory });
  fill(new Stack(app, 'Stack', env && { env }));
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  try {
    app.synth();
  } catch (error) {
    // Findings are errors of the synthesis too; the report has them one by one.
    assert.equal((error as Error).name, 'ValidationFailed');
  }
  const { pluginReports } = JSON.parse(readFileSync(join(directory, 'validation-report.json'), 'utf8')) as Report;
  assert.ok(pluginReports[0]);
  return pluginReports[0];
}

/** More owners than a managed policy can name the keys of. */
function ofManyOwners(): object {
  const example = examplePolicy();
  example.EventSource.Parameters.SnapshotOwner = owners(500);
  return example;
}

/** Copies under whatever key EC2 chooses. */
function withoutKeys(): object {
  return JSON.parse(
    JSON.stringify(examplePolicy(), (name, value: unknown) => (name === 'CmkArn' ? undefined : value)),
  ) as object;
}

/** Each kind in all its forms, of which each thing that is acknowledged is needed by one at least. */
const TEMPLATES: Record<keyof typeof ACKNOWLEDGED, ((stack: Stack) => void)[]> = {
  vault: (
    [
      // More keys than one managed policy holds.
      { policy: EXAMPLE_POLICY, sourceKeyArns: sourceKeys(200), alarmEmail: 'operators@example.com' },
      { policy: ofManyOwners(), proofSchedule: 'rate(1 hour)', proofDecryptsSources: 'true' },
      { policy: withoutKeys(), proofSchedule: 'rate(1 hour)' },
      { policy: DATABASES },
    ] as Omit<SnapshotVaultProps, 'code'>[]
  ).map((props) => (stack) => {
    new SnapshotVault(stack, 'Vault', { ...props, code: { folder: builtFunctions() } });
  }),
  source: [
    (stack): void => {
      new SnapshotSource(stack, 'Source', { targetAccount: '444455556666' });
    },
  ],
};

describe("cdk-nag's AwsSolutions", () => {
  for (const [kind, forms] of Object.entries(TEMPLATES)) {
    for (const env of [undefined, { account: '444455556666', region: 'eu-central-1' }]) {
      it(`have no findings in a ${kind}, with the account ${env ? 'known' : 'unknown'}`, () => {
        const reports = forms.map((fill) => report(fill, env));
        assert.deepEqual(
          reports.flatMap(({ violations }) => violations),
          [],
        );
        // Whatever is acknowledged is still objected to.
        const acknowledged = Object.entries(ACKNOWLEDGED[kind as keyof typeof ACKNOWLEDGED]).flatMap(([name, ids]) =>
          Object.keys(ids).map((id) => `${name} ${id}`),
        );
        const needed = reports
          .flatMap(({ suppressedViolations }) => suppressedViolations)
          .map(({ acknowledgedAt, acknowledgedId }) => `${acknowledgedAt.split('/').at(-1) ?? ''} ${acknowledgedId}`);
        assert.deepEqual(
          acknowledged.filter((each) => !needed.includes(each)),
          [],
        );
      });
    }
  }

  it('have one sentence to each thing that is acknowledged', () => {
    for (const reason of Object.values(ACKNOWLEDGED)
      .flatMap(Object.values<Record<string, string>>)
      .flatMap(Object.values<string>)) {
      assert.match(reason, /^[A-Z].{20,}\.$/);
    }
  });

  it('would have some', () => {
    const { violations } = report((stack) => {
      new Queue(stack, 'Queue');
    });
    assert.deepEqual(violations.map(({ ruleName }) => ruleName).sort(), ['AwsSolutions-SQS3', 'AwsSolutions-SQS4']);
  });
});
