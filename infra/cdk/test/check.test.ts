import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';

import { type Checked, checkPolicy, findCommand } from '../lib/check';
import { readPolicy } from '../lib/policy';
import { EXAMPLE_POLICY, examplePolicy, REPOSITORY, temporaryFolder, vault } from './scene';

const BUILT = join(REPOSITORY, 'target', 'release', 'snapferry');
const FIXTURES = join(REPOSITORY, 'functions', 'core', 'tests', 'fixtures', 'policies');

/** What the schema, or the command, says of a document. */
function checked(document: unknown, command?: string): Checked {
  return checkPolicy(Buffer.from(typeof document === 'string' ? document : JSON.stringify(document)), command);
}

/** A command in place of `snapferry` that prints `output` and exits with `code`. */
function command(output: string, code: number): string {
  const path = join(temporaryFolder(), 'snapferry');
  writeFileSync(
    path,
    `#!/bin/sh\n[ "$1 $2" = "check --json" ] && [ -f "$3" ] || exit 2\ncat <<'E'\n${output}\nE\nexit ${String(code)}\n`,
  );
  chmodSync(path, 0o755);
  return path;
}

/** What the command prints for a document with these findings. */
function printed(...findings: object[]): string {
  return JSON.stringify({ format: 'snapferry-check/1', valid: false, files: [{ file: 'policy.json', findings }] });
}

/** Runs `act` with these variables in the environment in place of its own. */
function withEnvironment<T>(variables: Record<string, string>, act: () => T): T {
  const before = process.env;
  process.env = variables;
  try {
    return act();
  } finally {
    process.env = before;
  }
}

describe('the command', () => {
  const built = command(printed(), 0);
  const folder = join(built, '..');

  it('is the one that is named, else the one on the PATH, else none', () => {
    assert.equal(
      withEnvironment({ PATH: folder, SNAPFERRY: '/named' }, () => findCommand('/given')),
      '/given',
    );
    assert.equal(
      withEnvironment({ PATH: folder, SNAPFERRY: '/named' }, () => findCommand()),
      '/named',
    );
    assert.equal(
      withEnvironment({ PATH: `/nowhere:${folder}` }, () => findCommand()),
      built,
    );
    for (const environment of [{ PATH: '/nowhere' }, { PATH: '/nowhere', SNAPFERRY: '' }]) {
      assert.equal(
        withEnvironment(environment, () => findCommand()),
        undefined,
      );
    }
  });

  it('checks the policy of a vault, and without it the schema does, and either is named', () => {
    const refusing = command(printed({ level: 'error', code: 'policy-invalid', path: 'State', message: 'odd' }), 1);
    assert.throws(
      () => vault({ snapferry: refusing }),
      (error: Error) =>
        error.message ===
        `Stack/Vault: ${EXAMPLE_POLICY} is not valid; it was checked by ${refusing} check\nState: odd`,
    );
    const made = withEnvironment({ PATH: '/nowhere' }, () => vault());
    const [said] = made.node.metadata.filter((each) => each.type === 'aws:cdk:info');
    assert.match(String(said?.data), /^the policy was checked by the JSON Schema of policies/);
    Annotations.fromStack(Stack.of(made)).hasWarning(
      '/Stack/Vault',
      Match.stringLikeRegexp('checked by the JSON Schema of policies'),
    );
  });

  it('is the real one where that is built', { skip: !existsSync(BUILT) && 'run `make cli`' }, () => {
    const made = vault({ snapferry: BUILT });
    const annotations = Annotations.fromStack(Stack.of(made));
    annotations.hasInfo('/Stack/Vault', `the policy was checked by ${BUILT} check`);
    annotations.hasNoWarning('*', Match.anyValue());
    assert.deepEqual(checked(examplePolicy(), BUILT).policies.length, 1);
    const { PolicyType: type, ...without } = examplePolicy() as unknown as Record<string, unknown>;
    assert.ok(type);
    assert.throws(
      () => vault({ policy: { ...without, PolicyTyp: type }, snapferry: BUILT }),
      (error: Error) =>
        error.message.startsWith(`Stack/Vault: the policy is not valid; it was checked by ${BUILT} check\n`) &&
        error.message.includes('PolicyTyp: unknown member'),
    );
  });

  it('prints lines that are those of the Rust code', () => {
    const found = printed(
      { level: 'error', code: 'policy-invalid', path: 'PolicyType', message: '"x"', allowed: 'EVENT_BASED_POLICY' },
      { level: 'error', code: 'not-json', path: '', message: 'not JSON' },
    );
    const { errors, warnings } = checked({}, command(found, 1));
    assert.deepEqual(errors, ['PolicyType: "x"; allowed: EVENT_BASED_POLICY', 'policy document: not JSON']);
    assert.deepEqual(warnings, []);
  });

  it('prints warnings, which are no errors, and notes, which are nothing', () => {
    const found = printed(
      { level: 'warning', code: 'state-error', path: 'State', message: 'reads as ENABLED' },
      { level: 'note', code: 'matches-everything', path: 'DescriptionRegex', message: 'matches everything' },
    );
    const { errors, warnings } = checked({}, command(found, 0));
    assert.deepEqual(errors, []);
    assert.deepEqual(warnings, ['State: reads as ENABLED (state-error)']);
  });

  it('is not taken for an answer when it cannot run', () => {
    assert.throws(() => checked({}, command('', 2)), /check: /);
    assert.throws(() => checked({}, '/nowhere'), /\/nowhere check: .*ENOENT/);
    assert.throws(() => checked({}, command('not JSON', 1)), SyntaxError);
    assert.throws(() => checked({}, command('{"format":"snapferry-check/2"}', 0)), /take both from one release/);
  });
});

describe('without the command, the schema', () => {
  it('takes what the parser takes, and sees what the policies name', () => {
    for (const [file, count] of [
      ['cross-account-copy.json', 1],
      ['get-lifecycle-policy.json', 1],
      ['several.json', 2],
    ] as const) {
      const text = readFileSync(join(FIXTURES, file), 'utf8');
      for (const document of [text, `\uFEFF${text}`]) {
        const { errors, policies } = checked(document);
        assert.deepEqual(errors, [], file);
        assert.equal(policies.length, count, file);
        assert.ok(policies.every((each) => each.Policy.PolicyDetails.Actions.length > 0));
      }
      for (const document of [
        Buffer.from(`\uFEFF${text}`, 'utf16le'),
        Buffer.from(`\uFEFF${text}`, 'utf16le').swap16(),
      ]) {
        assert.deepEqual(checkPolicy(document, undefined), checked(text));
      }
    }
  });

  it('leaves keys as IAM compares them, in small letters', () => {
    const policy = examplePolicy();
    const encryption = policy.Actions[0].CrossRegionCopy[0].EncryptionConfiguration;
    const key = encryption.CmkArn ?? '';
    encryption.CmkArn = key.replace(/[^/]*$/, (id) => id.toUpperCase());
    assert.notEqual(encryption.CmkArn, key);
    const named = withEnvironment({ PATH: '' }, () => readPolicy('Vault', policy).named);
    assert.equal(named.targetKeyArns[0], key);
  });

  it('says where and what', () => {
    const { EventSource: source, ...others } = examplePolicy();
    const wrong = { ...others, EventSource: { ...source, Type: 'MANAGED' } };
    assert.deepEqual(checked([{ Policy: { PolicyId: 'a', PolicyDetails: { ...wrong, PolicyTyp: 1 } } }]).errors, [
      '[0].Policy.PolicyDetails: must NOT have additional properties ("PolicyTyp")',
    ]);
    assert.deepEqual(checked(wrong).errors, ['EventSource.Type: must be equal to constant ("MANAGED_CWE")']);
    assert.match(checked('{').errors.join(), /^policy document: not JSON: /);
    assert.match(checked('1').errors.join(), /^policy document: must be object,array/);
  });
});
