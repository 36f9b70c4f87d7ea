import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';

import { type PolicyDetails, SnapshotVault, type SnapshotVaultProps } from '../lib';
import { REPOSITORY } from '../lib/check';

/** The policy that the repository ships as an example. */
export const EXAMPLE_POLICY = join(REPOSITORY, 'infra', 'policy.example.json');

/** A template as CloudFormation gets it. */
export interface Json {
  readonly [member: string]: Json | Json[] | string | number | boolean | undefined;
}

/** A folder laid out as `make build` leaves it, with something else in place of the binaries. */
export function builtFunctions(): string {
  const folder = mkdtempSync(join(tmpdir(), 'snapferry-built-'));
  for (const name of ['copy-shared-snapshots', 'verify-copies', 'delete-expired-copies']) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'bootstrap'), `a placeholder of ${name}\n`);
  }
  return folder;
}

/** The example policy, as an object. */
export function examplePolicy(): PolicyDetails {
  return JSON.parse(readFileSync(EXAMPLE_POLICY, 'utf8')) as PolicyDetails;
}

/** A vault in a stack of its own that knows neither its account nor its Region. */
export function vault(props: Partial<SnapshotVaultProps> = {}): { app: App; stack: Stack; vault: SnapshotVault } {
  // CloudFormation's own rules are errors, too.
  const context = { '@aws-cdk/core:validateAgainstDefaultRules': true };
  const app = new App({ analyticsReporting: false, context });
  const stack = new Stack(app, 'Stack');
  const says = props.policies ?? props.policyFile ?? props.policy;
  const made = new SnapshotVault(stack, 'Vault', {
    builtFunctions: builtFunctions(),
    ...(says === undefined && { policy: examplePolicy() }),
    ...props,
  });
  return { app, stack, vault: made };
}

/** What a stack becomes, with the hashes of its assets masked. */
export function synthesized(stack: Stack): { template: Template; json: Json } {
  const template = Template.fromStack(stack);
  const masked = JSON.stringify(template.toJSON(), null, 2).replace(/[0-9a-f]{64}/g, '<hash>');
  return { template, json: JSON.parse(masked) as Json };
}
