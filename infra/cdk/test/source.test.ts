import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Match } from 'aws-cdk-lib/assertions';

import { SnapshotSource, type SnapshotSourceProps } from '../lib';
import { newStack, synthesized, vault } from './scene';

function source(props: Partial<SnapshotSourceProps> = {}): ReturnType<typeof synthesized> {
  const stack = newStack();
  new SnapshotSource(stack, 'Source', { targetAccount: '444455556666', ...props });
  return synthesized(stack);
}

describe('a source', () => {
  it('shares with the target account and nobody else', () => {
    const shared = { TargetAccounts: ['444455556666'], UnshareInterval: 3, UnshareIntervalUnit: 'DAYS' };
    source({ unshareDays: 3, resourceType: 'INSTANCE' }).hasResourceProperties('AWS::DLM::LifecyclePolicy', {
      PolicyDetails: Match.objectLike({
        ResourceTypes: ['INSTANCE'],
        Schedules: [Match.objectLike({ ShareRules: [shared] })],
      }),
    });
  });

  it('makes no key where the volumes have one', () => {
    source().resourceCountIs('AWS::KMS::Key', 1);
    source({ createKey: false }).resourceCountIs('AWS::KMS::Key', 0);
  });

  it('has no parameters and no Metadata', () => {
    const { Parameters: parameters, Metadata: metadata } = source().toJSON() as Record<string, object>;
    assert.deepEqual(Object.keys(parameters ?? {}), ['BootstrapVersion']);
    assert.equal(metadata, undefined);
  });

  it('refuses what a parameter would refuse', () => {
    assert.throws(() => source({ createTime: '3 am', targetAccount: '4' }), {
      message:
        'Stack/Source: targetAccount: "4" must be an account number of 12 digits.\n' +
        'Stack/Source: createTime: "3 am" must be a time such as 03:00.',
    });
    assert.throws(() => source({ targetAccount: undefined as unknown as string }), /targetAccount is missing/);
  });

  it('does not stand beside a vault in one stack', () => {
    const stack = newStack();
    vault({}, stack);
    assert.throws(
      () => new SnapshotSource(stack, 'Source', { targetAccount: '444455556666' }),
      /Stack\/Source: the stack Stack has Stack\/Vault in it already/,
    );
  });
});
