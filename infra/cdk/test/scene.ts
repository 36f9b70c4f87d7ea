import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';

import { SnapshotVault, type SnapshotVaultProps } from '../lib';

/** The checkout that this file is in, seen from `dist/test`. */
export const REPOSITORY = resolve(__dirname, '..', '..', '..', '..');

/** The policy that the repository ships as an example. */
export const EXAMPLE_POLICY = join(REPOSITORY, 'infra', 'policy.example.json');

/** A policy of databases, with which the parser is tested. */
export const DATABASES = join(REPOSITORY, 'functions', 'core', 'tests', 'fixtures', 'policies', 'databases.json');

/** As much of the example's shape as the tests change. */
export interface ExamplePolicy {
  readonly EventSource: { readonly Parameters: { SnapshotOwner: string[] } };
  readonly Actions: [
    { readonly CrossRegionCopy: [{ RetainRule: { Interval: number }; EncryptionConfiguration: { CmkArn?: string } }] },
  ];
}

/** The example, as an object of the caller's own. */
export function examplePolicy(): ExamplePolicy {
  return JSON.parse(readFileSync(EXAMPLE_POLICY, 'utf8')) as ExamplePolicy;
}

/** A folder that goes with the process. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'snapferry-cdk-'));
  process.on('exit', () => {
    rmSync(folder, { recursive: true });
  });
  return folder;
}

/** A folder laid out as `make build` leaves it, with something else in place of the binaries. */
export function builtFunctions(): string {
  const folder = temporaryFolder();
  for (const name of ['copy-shared-snapshots', 'verify-copies', 'prove-copies', 'delete-expired-copies', 'databases']) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'bootstrap'), `a placeholder of ${name}\n`);
  }
  return folder;
}

/** A stack that knows neither its account nor its Region, in an app for which CloudFormation's own rules are errors. */
export function newStack(): Stack {
  const context = { '@aws-cdk/core:validateAgainstDefaultRules': true };
  return new Stack(new App({ analyticsReporting: false, context, outdir: temporaryFolder() }), 'Stack');
}

/** A vault, which takes its code from a bucket where nothing else is said. */
export function vault(props: Partial<SnapshotVaultProps> = {}, stack = newStack()): SnapshotVault {
  return new SnapshotVault(stack, 'Vault', {
    policy: EXAMPLE_POLICY,
    code: { bucket: 'snapferry', prefix: '0.1.0/' },
    ...props,
  });
}

/** The template of the stack that a construct is in. */
export function synthesized(construct: SnapshotVault | Stack): Template {
  return Template.fromStack(Stack.of(construct));
}

/** So many keys, with ARNs as long as they get. */
export function sourceKeys(count: number): string[] {
  return Array.from(
    { length: count },
    (_, index) => `arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/mrk-${String(index).padStart(32, '0')}`,
  );
}

/** So many accounts. */
export function owners(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String(100_000_000_000 + index));
}
