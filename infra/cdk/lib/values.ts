import { Token } from 'aws-cdk-lib';

/** A parameter of a template: CloudFormation's own members, as far as they limit a value. */
export interface Parameter {
  readonly Type: string;
  readonly Default?: string | number;
  readonly AllowedValues?: readonly (string | number)[];
  readonly AllowedPattern?: string;
  readonly MinValue?: number;
  readonly MaxValue?: number;
  readonly MinLength?: number;
  readonly MaxLength?: number;
  readonly ConstraintDescription?: string;
}

export type Parameters = Readonly<Record<string, Parameter>>;

/** What takes a parameter's place in the template: a text, a number, or the texts of a list. */
export type Value = string | number | string[];

/**
 * A value for each parameter: that of the prop with its name, else its default. CloudFormation sees no parameter and so
 * checks no value, which is therefore done here; what is known at deployment only is not checked.
 *
 * @throws an error with a line for each value that its parameter does not allow
 */
export function values(
  where: string,
  parameters: Parameters,
  props: Readonly<Record<string, unknown>>,
): Record<string, Value> {
  const found: Record<string, Value> = {};
  const known = new Set(Object.keys(parameters).map(propOf));
  const errors = Object.keys(props).flatMap((prop) => (known.has(prop) ? [] : [`${prop} is no prop`]));
  for (const [name, parameter] of Object.entries(parameters)) {
    const prop = propOf(name);
    const given = props[prop] ?? parameter.Default;
    if (given === undefined) {
      errors.push(`${prop} is missing`);
      continue;
    }
    const texts = (Array.isArray(given) ? given : [given]).map(String);
    errors.push(
      ...texts.flatMap((text) => wrong(text, parameter).map((rule) => `${prop}: ${JSON.stringify(text)} ${rule}`)),
    );
    found[name] = typed(parameter, texts);
  }
  if (errors.length > 0) {
    throw new Error(errors.map((error) => `${where}: ${error}`).join('\n'));
  }
  return found;
}

function typed({ Type: type }: Parameter, texts: string[]): Value {
  const text = texts.join(',');
  return type === 'CommaDelimitedList' ? texts : type === 'Number' ? Number(text) : text;
}

/** The prop of a parameter: SourceKeyArns is sourceKeyArns. */
function propOf(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

function wrong(text: string, parameter: Parameter): string[] {
  const closed = parameter.AllowedValues !== undefined || parameter.Type === 'Number';
  if (Token.isUnresolved(text)) {
    return closed ? ['must be known at synthesis'] : [];
  }
  const rules: [boolean, string][] = [
    [
      matches(text, parameter.AllowedPattern),
      parameter.ConstraintDescription ?? `must match ${String(parameter.AllowedPattern)}`,
    ],
    [
      parameter.AllowedValues?.map(String).includes(text) ?? true,
      `must be one of ${parameter.AllowedValues?.join(', ') ?? ''}`,
    ],
    [parameter.Type !== 'Number' || /^-?\d+$/.test(text), 'must be a whole number'],
    [!(Number(text) < (parameter.MinValue ?? -Infinity)), `must be at least ${String(parameter.MinValue)}`],
    [!(Number(text) > (parameter.MaxValue ?? Infinity)), `must be at most ${String(parameter.MaxValue)}`],
    [text.length >= (parameter.MinLength ?? 0), `must have at least ${String(parameter.MinLength)} characters`],
    [text.length <= (parameter.MaxLength ?? Infinity), `must have at most ${String(parameter.MaxLength)} characters`],
  ];
  return rules.filter(([holds]) => !holds).map(([, rule]) => rule);
}

/** As CloudFormation matches: the whole text. */
function matches(text: string, pattern?: string): boolean {
  return pattern === undefined || new RegExp(`^(?:${pattern})$`).test(text);
}
