import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { App, Stack } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import { Key } from 'aws-cdk-lib/aws-kms';

import { ResourceType, SnapshotSource } from '../lib';
import { synthesized } from './scene';
import { assertSnapshot } from './snapshot';

function source(props: Partial<ConstructorParameters<typeof SnapshotSource>[2]> = {}): Stack {
  const stack = new Stack(new App({ analyticsReporting: false }), 'Stack');
  new SnapshotSource(stack, 'Source', { targetAccount: '444455556666', ...props });
  return stack;
}

describe('a source', () => {
  it('is what was reviewed', () => {
    assertSnapshot('source', synthesized(source()).json);
  });

  it('shares with the target account and nobody else', () => {
    synthesized(source({ unshareDays: 3, resourceType: ResourceType.INSTANCE })).template.hasResourceProperties(
      'AWS::DLM::LifecyclePolicy',
      {
        PolicyDetails: Match.objectLike({
          ResourceTypes: ['INSTANCE'],
          Schedules: [
            Match.objectLike({
              ShareRules: [{ TargetAccounts: ['444455556666'], UnshareInterval: 3, UnshareIntervalUnit: 'DAYS' }],
            }),
          ],
        }),
      },
    );
  });

  it('lets grants on its key be made for AWS services only', () => {
    synthesized(source()).template.hasResourceProperties('AWS::KMS::Key', {
      KeyPolicy: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Action: ['kms:CreateGrant', 'kms:ListGrants', 'kms:RevokeGrant'],
            Condition: { Bool: { 'kms:GrantIsForAWSResource': 'true' } },
          }),
        ]),
      },
    });
  });

  it('names one role of the target account when it is told to', () => {
    const role = 'arn:aws:iam::444455556666:role/copier';
    const { json } = synthesized(source({ targetRoleArn: role }));
    assert.equal(JSON.stringify(json).split(role).length - 1, 2);
    assert.ok(!JSON.stringify(json).includes('444455556666:root'));
  });

  it('takes a key that is there already', () => {
    const stack = new Stack(new App({ analyticsReporting: false }), 'Stack');
    const key = Key.fromKeyArn(stack, 'Key', 'arn:aws:kms:eu-central-1:111122223333:key/1');
    new SnapshotSource(stack, 'Source', { targetAccount: '444455556666', key });
    synthesized(stack).template.resourceCountIs('AWS::KMS::Key', 0);
    assert.equal(SnapshotSource.keyStatements('444455556666').length, 2);
  });
});
