/*
 * Makes what the constructs are made of, from the templates and the policy's schema: the folder derived, with the
 * templates, the schema and, in parameters.ts, a prop for each of the templates' parameters. It stays out of git, and so
 * does the copy of the licence that is packed.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { isMap, isSeq, parseDocument } from 'yaml';

const PACKAGE = dirname(dirname(fileURLToPath(import.meta.url)));
const REPOSITORY = dirname(dirname(PACKAGE));
const DERIVED = join(PACKAGE, 'derived');
/** From what each is made, and what that is made from by `make plain`. */
const FILES = {
  'template.json': ['target/plain/template.json', 'infra/sam/template.yaml', 'infra/sam/plain.py'],
  'source-account.json': ['target/plain/source-account.yaml', 'infra/sam/source-account.yaml'],
  'policy.schema.json': ['functions/core/policy.schema.json'],
};

/** What follows from other props: from `policy` and from `code`. */
const OF_OTHER_PROPS = [
  'Policy',
  'PolicyKey',
  'Databases',
  'SourceAccounts',
  'TargetRegions',
  'TargetKeyArns',
  'MaxLockDays',
  'CodeBucket',
  'CodePrefix',
];

function main() {
  mkdirSync(DERIVED, { recursive: true });
  for (const [name, [from, ...sources]] of Object.entries(FILES)) {
    refuseStale(from, sources);
    const { contents } = parseDocument(readFileSync(join(REPOSITORY, from), 'utf8'), { logLevel: 'silent' });
    writeFileSync(join(DERIVED, name), JSON.stringify(long(contents)));
  }
  // npm packs no file from outside the package's folder.
  copyFileSync(join(REPOSITORY, 'LICENSE'), join(PACKAGE, 'LICENSE'));
  const lines = [
    "import type { Parameter } from '../lib/values';",
    ...declared('Vault', parameters('template.json')),
    ...declared('Source', parameters('source-account.json')),
  ];
  writeFileSync(join(DERIVED, 'parameters.ts'), `${lines.join('\n')}\n`);
}

function refuseStale(made, sources) {
  if (!existsSync(join(REPOSITORY, made))) {
    throw new Error(`${made} does not exist: run \`make plain\` in ${REPOSITORY}`);
  }
  const changed = (name) => statSync(join(REPOSITORY, name)).mtimeMs;
  const newer = sources.find((source) => changed(source) > changed(made));
  if (newer !== undefined) {
    throw new Error(`${made} is older than ${newer}: run \`make plain\` in ${REPOSITORY}`);
  }
}

/** YAML, of which JSON is a part, with the long form of intrinsic functions: !Ref A is { Ref: A }. */
function long(node) {
  const value = isMap(node)
    ? Object.fromEntries(node.items.map((item) => [item.key.value, long(item.value)]))
    : isSeq(node)
      ? node.items.map(long)
      : node.value;
  const [, name] = /^!(\w+)$/.exec(node.tag ?? '') ?? [];
  if (name === undefined) {
    return value;
  }
  return name === 'Ref' ? { Ref: value } : { [`Fn::${name}`]: name === 'GetAtt' ? value.split('.') : value };
}

function parameters(template) {
  return JSON.parse(readFileSync(join(DERIVED, template), 'utf8')).Parameters;
}

/** An interface with a prop for each parameter, and the parameters themselves for the check of the props' values. */
function declared(kind, all) {
  const own = Object.entries(all).filter(([name]) => !OF_OTHER_PROPS.includes(name));
  const rules = Object.fromEntries(
    Object.entries(all).map(([name, parameter]) => [name, { ...parameter, Description: undefined }]),
  );
  return [
    '',
    `/** The parameters of the ${kind.toLowerCase()}'s template. */`,
    `export interface ${kind}Parameters {`,
    ...own.flatMap(([name, parameter]) => prop(name, parameter)),
    '}',
    '',
    '/** @internal */',
    `export const ${kind.toUpperCase()}_PARAMETERS: Readonly<Record<string, Parameter>> = ${JSON.stringify(rules)};`,
  ];
}

function prop(name, parameter) {
  const { Default: byDefault, Description: description } = parameter;
  if (!description) {
    throw new Error(`the parameter ${name} has no Description`);
  }
  const shown = byDefault === '' ? '- none' : byDefault;
  return [
    '  /**',
    `   * ${description}`,
    ...(byDefault === undefined ? [] : ['   *', `   * @default ${shown}`]),
    '   */',
    `  readonly ${name[0].toLowerCase()}${name.slice(1)}${byDefault === undefined ? '' : '?'}: ${type(parameter)};`,
  ];
}

function type({ Type: type, AllowedValues: allowed, ConstraintDescription: constraint = '' }) {
  if (type === 'CommaDelimitedList' || constraint.includes('separated by commas')) {
    return 'readonly string[]';
  }
  if (allowed?.length === 2 && allowed.includes('true') && allowed.includes('false')) {
    return 'boolean';
  }
  return allowed?.map((value) => JSON.stringify(value)).join(' | ') ?? (type === 'Number' ? 'number' : 'string');
}

main();
