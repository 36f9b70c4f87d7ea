/*
 * `node parity.js CASES FOLDER`: makes a stack of each case, which is written in the parameters of the SAM templates, and
 * leaves its template in FOLDER. tests/parity compares it with what the SAM template becomes with these parameters.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { Topic } from 'aws-cdk-lib/aws-sns';

import { LogLevel, ResourceType, SnapshotSource, SnapshotVault } from '../lib';
import { REPOSITORY } from '../lib/check';
import { builtFunctions } from './scene';

/** A case's parameters; each is looked up once, and none is left over. */
class Parameters {
  private readonly left: Map<string, string>;

  constructor(given: Readonly<Record<string, string>>) {
    this.left = new Map(Object.entries(given));
  }

  /** The property that `name` becomes, or none. */
  as<Name extends string, T>(property: Name, name: string, made: (value: string) => T): Partial<Record<Name, T>> {
    const value = this.left.get(name);
    this.left.delete(name);
    return value === undefined ? {} : ({ [property]: made(value) } as Record<Name, T>);
  }

  assertNoneLeft(): void {
    assert.deepEqual([...this.left.keys()], [], 'parameters that no property is made of');
  }
}

function same(value: string): string {
  return value;
}

function list(value: string): string[] {
  return value.split(',');
}

/** The one of `values` that is written so. */
function member<T>(values: readonly T[]): (written: string) => T {
  return (written) => {
    const found = values.find((value) => String(value) === written);
    assert.ok(found !== undefined, written);
    return found;
  };
}

const retentions = Object.values(RetentionDays).filter((value) => typeof value === 'number');

function vault(stack: Stack, parameters: Parameters): void {
  new SnapshotVault(stack, 'Vault', {
    builtFunctions: builtFunctions(),
    ...parameters.as('policyFile', 'Policy', (value) => join(REPOSITORY, value)),
    ...parameters.as('sourceKeyArns', 'SourceKeyArns', list),
    ...parameters.as('sweepSince', 'SweepSince', same),
    ...parameters.as('maxDeletesPerRun', 'MaxDeletesPerRun', Number),
    ...parameters.as('allowMassExpiry', 'AllowMassExpiry', (value) => value === 'true'),
    ...parameters.as('retiredRegions', 'RetiredRegions', list),
    ...parameters.as('sweepSchedule', 'SweepSchedule', (value) => ScheduleExpression.expression(value)),
    ...parameters.as('verifySchedule', 'VerifySchedule', (value) => ScheduleExpression.expression(value)),
    ...parameters.as('expirySchedule', 'ExpirySchedule', (value) => ScheduleExpression.expression(value)),
    ...parameters.as('logRetention', 'LogRetentionDays', member(retentions)),
    ...parameters.as('logKey', 'LogKmsKeyArn', (arn) => Key.fromKeyArn(stack, 'LogKey', arn)),
    ...parameters.as('logLevel', 'LogLevel', member(Object.values(LogLevel))),
    ...parameters.as('alarmTopic', 'AlarmTopicArn', (arn) => Topic.fromTopicArn(stack, 'AlarmTopic', arn)),
    ...parameters.as('unprotectedAlarmHours', 'UnprotectedAlarmHours', Number),
    ...parameters.as('silentOwnerAlarmHours', 'SilentOwnerAlarmHours', Number),
    ...parameters.as('sweepMissingAlarmHours', 'SweepMissingAlarmHours', Number),
    ...parameters.as('runbookUrl', 'RunbookUrl', same),
    ...parameters.as('architecture', 'Architecture', (name) => Architecture.custom(name)),
    ...parameters.as('rolePath', 'RolePath', same),
    ...parameters.as('permissionsBoundary', 'PermissionsBoundaryArn', (arn) =>
      ManagedPolicy.fromManagedPolicyArn(stack, 'Boundary', arn),
    ),
  });
}

function source(stack: Stack, parameters: Parameters): void {
  const { targetAccount } = parameters.as('targetAccount', 'TargetAccount', same);
  assert.ok(targetAccount);
  new SnapshotSource(stack, 'Source', {
    targetAccount,
    ...parameters.as('targetRoleArn', 'TargetRoleArn', same),
    ...parameters.as('resourceType', 'ResourceType', member(Object.values(ResourceType))),
    ...parameters.as('tagKey', 'TagKey', same),
    ...parameters.as('tagValue', 'TagValue', same),
    ...parameters.as('createIntervalHours', 'CreateIntervalHours', Number),
    ...parameters.as('createTime', 'CreateTime', same),
    ...parameters.as('retainDays', 'RetainDays', Number),
    ...parameters.as('unshareDays', 'UnshareDays', Number),
    ...parameters.as('enabled', 'State', (value) => value === 'ENABLED'),
    ...parameters.as('rolePath', 'RolePath', same),
    ...parameters.as('permissionsBoundary', 'PermissionsBoundaryArn', (arn) =>
      ManagedPolicy.fromManagedPolicyArn(stack, 'Boundary', arn),
    ),
  });
}

function main([cases, folder]: string[]): void {
  assert.ok(cases !== undefined && folder !== undefined, 'node parity.js CASES FOLDER');
  const given = JSON.parse(readFileSync(cases, 'utf8')) as Record<string, Record<string, Record<string, string>>>;
  for (const [kind, make] of [
    ['vault', vault],
    ['source', source],
  ] as const) {
    for (const [name, values] of Object.entries(given[kind] ?? {})) {
      const stack = new Stack(new App({ analyticsReporting: false }), 'Stack');
      const parameters = new Parameters(values);
      make(stack, parameters);
      parameters.assertNoneLeft();
      writeFileSync(join(folder, `${kind} ${name}.json`), JSON.stringify(Template.fromStack(stack).toJSON(), null, 1));
    }
  }
}

main(process.argv.slice(2));
