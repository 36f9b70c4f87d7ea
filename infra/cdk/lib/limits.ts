import { Stack } from 'aws-cdk-lib';
import { CfnManagedPolicy, CfnRole } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';

/*
 * IAM's quotas, which accounts and keys reach where no parameter limits them; in characters without white space.
 */
const MAX_MANAGED_POLICY = 6_144;
const MAX_INLINE_POLICIES = 10_240;
/** How many IAM attaches to a role, unless asked for more. */
const MAX_ATTACHED = 10;
/** What is known at deployment only, an ARN or a name, is taken to become at most so long. */
const UNKNOWN = 128;

interface Statement {
  readonly Resource: unknown;
  readonly Condition?: { readonly StringEquals?: Readonly<Record<string, unknown>> };
}

interface PolicyDocument {
  readonly Version: string;
  readonly Statement: readonly Statement[];
}

/** The condition that names the accounts whose keys a statement means. */
const ACCOUNTS = 'aws:ResourceAccount';

/**
 * Divides managed policies whose keys, or the accounts whose keys they are, are too many for one.
 *
 * @throws an error where a role needs more than IAM takes
 */
export function fitIntoIam(template: Construct): void {
  const roles = template.node.children.filter((each) => each instanceof CfnRole);
  for (const policy of template.node.children.filter((each) => each instanceof CfnManagedPolicy)) {
    divide(policy, roles);
  }
  for (const role of roles) {
    const inline = Stack.of(role).resolve(role.policies) as unknown[] | undefined;
    refuse(role, 'characters of inline policies', characters(inline ?? []), MAX_INLINE_POLICIES);
    refuse(role, 'managed policies', role.managedPolicyArns?.length ?? 0, MAX_ATTACHED);
  }
}

function refuse(role: CfnRole, what: string, needed: number, taken: number): void {
  if (needed > taken) {
    throw new Error(
      `${role.node.path} would have ${String(needed)} ${what}, and IAM takes ${String(taken)} for a role: the policy and ` +
        'sourceKeyArns name too many accounts, Regions or keys',
    );
  }
}

function divide(policy: CfnManagedPolicy, roles: readonly CfnRole[]): void {
  const stack = Stack.of(policy);
  const document = stack.resolve(policy.policyDocument) as PolicyDocument;
  if (characters(document) <= MAX_MANAGED_POLICY) {
    return;
  }
  const [first, ...more] = divided(document, policy.node.path);
  policy.policyDocument = first;
  const reference = JSON.stringify(stack.resolve(policy.ref));
  const attached = roles.filter((role) =>
    JSON.stringify(stack.resolve(role.managedPolicyArns ?? [])).includes(reference),
  );
  more.forEach((policyDocument, index) => {
    const { description, path } = policy;
    const props = { policyDocument, ...(description && { description }), ...(path && { path }) };
    const { ref } = new CfnManagedPolicy(policy, String(index + 2), props);
    for (const role of attached) {
      role.managedPolicyArns = [...(role.managedPolicyArns ?? []), ref];
    }
  });
}

function divided(document: PolicyDocument, path: string): PolicyDocument[] {
  const [statement, ...others] = document.Statement;
  const list = statement && divisible(statement);
  if (list === undefined || others.length > 0) {
    throw new Error(
      `${path} would have ${String(characters(document))} characters, and IAM takes ${String(MAX_MANAGED_POLICY)}`,
    );
  }
  const part = (texts: unknown[]): PolicyDocument => ({ ...document, Statement: [list.with(texts)] });
  return groups(list.texts, MAX_MANAGED_POLICY - characters(part([]))).map(part);
}

/** The list by which a statement means as much in parts as it does whole: its resources, or its accounts. */
function divisible(
  statement: Statement,
): { readonly texts: unknown[]; readonly with: (texts: unknown[]) => Statement } | undefined {
  const { Resource: resources, Condition: condition } = statement;
  const accounts = condition?.StringEquals?.[ACCOUNTS];
  if (Array.isArray(resources)) {
    return { texts: resources, with: (Resource) => ({ ...statement, Resource }) };
  }
  if (Array.isArray(accounts)) {
    const equals = (texts: unknown[]): object => ({ ...condition?.StringEquals, [ACCOUNTS]: texts });
    return {
      texts: accounts,
      with: (texts) => ({ ...statement, Condition: { ...condition, StringEquals: equals(texts) } as never }),
    };
  }
  return undefined;
}

/** The texts in groups of at most `room` characters, quotes and commas included. */
function groups(texts: readonly unknown[], room: number): unknown[][] {
  const found: unknown[][] = [[]];
  let left = room;
  for (const text of texts) {
    const size = characters(text) + 1;
    if (size > left) {
      found.push([]);
      left = room;
    }
    found.at(-1)?.push(text);
    left -= size;
  }
  return found;
}

function characters(value: unknown): number {
  return JSON.stringify(value, (_, each: unknown) =>
    isIntrinsic(each) ? 'x'.repeat(Math.max(UNKNOWN, JSON.stringify(each).length)) : each,
  ).length;
}

function isIntrinsic(value: unknown): boolean {
  const [name, ...others] = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  return others.length === 0 && (name === 'Ref' || name?.startsWith('Fn::') === true);
}
