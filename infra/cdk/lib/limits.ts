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

interface PolicyDocument {
  readonly Version: string;
  readonly Statement: readonly { readonly Resource: unknown }[];
}

/**
 * Divides managed policies whose resources are too many for one.
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
  const [statement, ...others] = document.Statement;
  if (characters(document) <= MAX_MANAGED_POLICY || others.length > 0 || !Array.isArray(statement?.Resource)) {
    return;
  }
  const parts = groups(
    statement.Resource,
    MAX_MANAGED_POLICY - characters({ ...document, Statement: [{ ...statement, Resource: [] }] }),
  );
  const documents = parts.map((resources) => ({ ...document, Statement: [{ ...statement, Resource: resources }] }));
  const attached = roles.filter(
    (role) =>
      stack.resolve(role.managedPolicyArns) !== undefined &&
      refersTo(stack.resolve(role.managedPolicyArns), policy, stack),
  );
  policy.policyDocument = documents[0];
  documents.slice(1).forEach((part, index) => {
    const { description, path } = policy;
    const more = new CfnManagedPolicy(policy, String(index + 2), {
      policyDocument: part,
      ...(description && { description }),
      ...(path && { path }),
    });
    for (const role of attached) {
      role.managedPolicyArns = [...(role.managedPolicyArns ?? []), more.ref];
    }
  });
}

function refersTo(value: unknown, policy: CfnManagedPolicy, stack: Stack): boolean {
  return JSON.stringify(value).includes(JSON.stringify(stack.resolve(policy.ref)));
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
