import type { Value } from './values';

/** A template in JSON, with intrinsic functions in their long form. */
export interface Template {
  readonly Parameters: Readonly<Record<string, unknown>>;
  readonly Conditions: Readonly<Record<string, unknown>>;
  readonly Resources: Readonly<Record<string, Element>>;
  readonly Outputs: Readonly<Record<string, Element>>;
}

interface Element {
  readonly Condition?: string;
  readonly Metadata?: unknown;
}

/**
 * The template as the parameters' values make it: without conditions and what they exclude, and without Metadata and
 * Description, which are about the parameters and the stack. Constant conditions would not only be noise: CloudFormation
 * lets them refer to parameters alone, and a value may be a resource of the app, such as the topic for alarms.
 *
 * @throws an error for a condition that the values do not decide
 */
export function decide(template: Template, values: Readonly<Record<string, Value>>): Omit<Template, 'Conditions'> {
  const conditions = Object.fromEntries(
    Object.entries(template.Conditions).map(([name, expression]) => [name, holds(expression, values)]),
  );
  const created = (section: Readonly<Record<string, Element>>): Record<string, Element> =>
    Object.fromEntries(
      Object.entries(section)
        .filter(([, { Condition: condition }]) => condition === undefined || conditions[condition])
        .map(([name, element]) => [
          name,
          chosen({ ...element, Condition: NOTHING, Metadata: NOTHING }, conditions) as Element,
        ]),
    );
  const { Parameters, Resources, Outputs } = template;
  return { Parameters, Resources: created(Resources), Outputs: created(Outputs) };
}

const NOTHING = { Ref: 'AWS::NoValue' };

/** A value with the chosen branch in place of each Fn::If, and without what is AWS::NoValue. */
function chosen(value: unknown, conditions: Readonly<Record<string, boolean>>): unknown {
  if (Array.isArray(value)) {
    return value.map((each) => chosen(each, conditions)).filter((each) => !isNothing(each));
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  if ('Fn::If' in value) {
    const [condition, then, otherwise] = value['Fn::If'] as [string, unknown, unknown];
    return chosen(conditions[condition] ? then : otherwise, conditions);
  }
  const members = Object.entries(value).map(([name, each]) => [name, chosen(each, conditions)] as const);
  return Object.fromEntries(members.filter(([, each]) => !isNothing(each)));
}

function isNothing(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'Ref' in value && value.Ref === NOTHING.Ref;
}

function holds(expression: unknown, values: Readonly<Record<string, Value>>): boolean {
  const [[name, operands] = ['', []]] = Object.entries(expression as Record<string, unknown[]>);
  switch (name) {
    case 'Fn::Not':
      return !operands.every((each) => holds(each, values));
    case 'Fn::And':
      return operands.every((each) => holds(each, values));
    case 'Fn::Or':
      return operands.some((each) => holds(each, values));
    case 'Fn::Equals': {
      const [left, right] = operands.map((each) => constant(each, values));
      return left === right;
    }
    default:
      throw new Error(`a condition with ${JSON.stringify(expression)} is not decided by parameters`);
  }
}

function constant(operand: unknown, values: Readonly<Record<string, Value>>): string {
  if (typeof operand === 'string' || typeof operand === 'number') {
    return String(operand);
  }
  const value = values[(operand as { Ref: string }).Ref];
  if (value === undefined) {
    throw new Error(`a condition with ${JSON.stringify(operand)} is not decided by parameters`);
  }
  return String(value);
}
