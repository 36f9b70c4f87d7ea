import { existsSync, readFileSync } from 'node:fs';

import { Annotations, Token } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

import { type Checked, checkPolicy, findCommand, type IntervalUnit } from './check';

/** A valid policy document. */
export interface Policy extends Pick<Checked, 'by' | 'warnings'> {
  /** As it was given, byte for byte. */
  readonly document: Buffer;
  readonly named: Named;
}

/** What the roles are limited to. */
export interface Named {
  /** Every `SnapshotOwner`, `Target` and `CmkArn`, each once. */
  readonly sourceAccounts: readonly string[];
  readonly targetRegions: readonly string[];
  readonly targetKeyArns: readonly string[];
  /** Whether any of them is about databases. */
  readonly databases: boolean;
  /** The longest lock, in days. */
  readonly maxLockDays: number;
}

/** What a policy without `SourceTypes` copies. */
const VOLUMES = 'EBS_SNAPSHOT';

/** The longest lock that EC2 knows, in days, and what a unit of an interval has at most. */
const MAX_LOCK_DAYS = 36_500;
const LONGEST_DAYS: Record<IntervalUnit, number> = { DAYS: 1, WEEKS: 7, MONTHS: 31, YEARS: 366 };

/**
 * Reads and checks the policy that is given as a path or as a document.
 *
 * @throws an error with a line for each thing that is wrong with it
 */
export function readPolicy(where: string, given: string | object, snapferry?: string): Policy {
  if (!(given instanceof Object) && !existsSync(given)) {
    throw new Error(`${where}: policy is the path of a JSON file, or an object; there is no file ${given}`);
  }
  const document = typeof given === 'string' ? readFileSync(given) : Buffer.from(JSON.stringify(given));
  if (Token.isUnresolved(document.toString())) {
    throw new Error(`${where}: the policy has values that are known at deployment only; write them out`);
  }
  const { by, errors, warnings, policies } = checkPolicy(document, findCommand(snapferry));
  if (errors.length > 0) {
    const what = typeof given === 'string' ? given : 'the policy';
    throw new Error([`${where}: ${what} is not valid; it was checked by ${by}`, ...errors].join('\n'));
  }
  const named = whatIsNamed(policies);
  if (named.sourceAccounts.length === 0 || named.targetRegions.length === 0) {
    throw new Error(`${where}: the policy names no SnapshotOwner or no Target, so there is nothing to permit`);
  }
  return { by, warnings, document, named };
}

/** Says at synthesis what checked the policy, and what it found to deserve a look. */
export function annotate(construct: IConstruct, { by, warnings }: Policy): void {
  Annotations.of(construct).addInfo(`the policy was checked by ${by}`);
  for (const warning of warnings) {
    Annotations.of(construct).addWarningV2(`snapferry:${warning}`, warning);
  }
}

function whatIsNamed(policies: Checked['policies']): Named {
  const details = policies.map((answer) => answer.Policy.PolicyDetails);
  const sources = details.map((each) => each.EventSource.Parameters);
  const copies = details.flatMap((each) => each.Actions.flatMap((action) => action.CrossRegionCopy));
  return {
    databases: sources.some((each) => each.SourceTypes?.some((type) => type !== VOLUMES)),
    sourceAccounts: distinct(sources.flatMap((each) => each.SnapshotOwner)),
    targetRegions: distinct(copies.map((copy) => copy.Target)),
    // DLM's answers may have null for what is absent. KMS takes the ID of a key in any case, IAM in small letters only.
    targetKeyArns: distinct(
      copies.map((copy) => copy.EncryptionConfiguration.CmkArn?.toLowerCase()).filter((arn) => arn != null),
    ),
    maxLockDays: Math.min(
      MAX_LOCK_DAYS,
      Math.max(
        0,
        ...copies.map(({ LockRule: rule }) => (rule == null ? 0 : rule.Interval * LONGEST_DAYS[rule.IntervalUnit])),
      ),
    ),
  };
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
