/*
 * An example: one vault and one source account. `npx cdk deploy` with these accounts replaced by yours; the policy is
 * infra/policy.example.json.
 */
import { join } from 'node:path';

import { App, Stack, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';

import { SnapshotSource, SnapshotVault } from '../lib';

const SOURCE = { account: '111122223333', region: 'eu-central-1' };
const TARGET = { account: '444455556666', region: SOURCE.region };

/** The checkout's folder, seen from `dist/bin`. */
const INFRA = join(__dirname, '..', '..', '..');

const app = new App();

const source = new Stack(app, 'SnapferrySource', {
  env: SOURCE,
  description: 'Snapferry, source account: creates EBS snapshots and shares them.',
});
new SnapshotSource(source, 'Source', { targetAccount: TARGET.account });

const target = new Stack(app, 'SnapferryVault', {
  env: TARGET,
  description: 'Snapferry, target account: copies EBS snapshots that other accounts share with this one.',
});
new SnapshotVault(target, 'Vault', {
  policy: join(INFRA, 'policy.example.json'),
  // Where `make build` leaves the functions.
  code: { folder: join(INFRA, '..', 'target', 'lambda') },
  architecture: 'x86_64',
  alarmTopicArn: `arn:aws:sns:${TARGET.region}:${TARGET.account}:operators`,
});

Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
