import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type CfnResource, Stack } from 'aws-cdk-lib';
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include';
import type { Construct } from 'constructs';

import { decide, type Template } from './decide';
import type { Value } from './values';

/** What `npm run derive` leaves and the package carries. */
export const DERIVED = join(__dirname, '..', '..', 'derived');

/** A stack's template with values in place of all its parameters. Its resources and outputs keep their logical IDs. */
export abstract class IncludedTemplate extends CfnInclude {
  protected constructor(scope: Construct, id: string, name: string, values: Record<string, Value>) {
    refuseASecond(scope, id);
    const template = decide(JSON.parse(readFileSync(join(DERIVED, name), 'utf8')) as Template, values);
    // CfnInclude reads files only.
    const folder = mkdtempSync(join(tmpdir(), 'snapferry-'));
    try {
      const templateFile = join(folder, name);
      writeFileSync(templateFile, JSON.stringify(template));
      super(scope, id, { templateFile, parameters: values });
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  /**
   * The L1 construct of a resource, by the template's logical ID: what is set there goes into the stack.
   *
   * `vault.resource('UnprotectedAlarm', CfnAlarm).alarmActions = [topic.topicArn]`
   */
  resource<T extends CfnResource>(logicalId: string, type: abstract new (...parameters: never[]) => T): T {
    const found = this.getResource(logicalId);
    if (!(found instanceof type)) {
      throw new Error(`${this.node.path}: ${logicalId} is ${found.cfnResourceType}, which is no ${type.name}`);
    }
    return found;
  }
}

/** Logical IDs stand once in a stack, so a second template would be refused anyway, and with less to read. */
function refuseASecond(scope: Construct, id: string): void {
  const stack = Stack.of(scope);
  const first = stack.node.findAll().find((each) => each instanceof IncludedTemplate);
  if (first !== undefined) {
    throw new Error(
      `${scope.node.path}/${id}: the stack ${stack.node.id} has ${first.node.path} in it already, and the logical IDs of ` +
        `Snapferry's templates stand once in a stack; give this one a stack of its own`,
    );
  }
}
