import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { checkPolicy } from '../lib';
import { REPOSITORY, SNAPFERRY } from '../lib/check';
import { EXAMPLE_POLICY, examplePolicy } from './scene';

const FIXTURES = join(REPOSITORY, 'functions', 'core', 'tests', 'fixtures', 'policies');

/** Where there is no command. */
const NOWHERE = '/nowhere';

/** A command in place of `snapferry` that prints `output` and exits with `code`. */
function command(output: string, code: number): string {
  const path = join(mkdtempSync(join(tmpdir(), 'snapferry-command-')), 'snapferry');
  writeFileSync(
    path,
    `#!/bin/sh\n[ "$1 $2" = "check --json" ] && [ -f "$3" ] || exit 2\ncat <<'E'\n${output}\nE\nexit ${String(code)}\n`,
  );
  chmodSync(path, 0o755);
  return path;
}

describe('without the command, the schema', () => {
  it('takes what the parser takes', () => {
    for (const name of ['cross-account-copy.json', 'get-lifecycle-policy.json', 'several.json']) {
      const { errors } = checkPolicy(readFileSync(join(FIXTURES, name), 'utf8'), NOWHERE);
      assert.deepEqual(errors, [], name);
    }
    assert.deepEqual(checkPolicy(readFileSync(EXAMPLE_POLICY, 'utf8'), NOWHERE).errors, []);
  });

  it('says where and what', () => {
    const policy = examplePolicy();
    const misspelt = { ...policy, PolicyTyp: 1, EventSource: { ...policy.EventSource, Type: 'MANAGED' } };
    const { errors } = checkPolicy(JSON.stringify([{ Policy: { PolicyId: 'a', PolicyDetails: misspelt } }]), NOWHERE);
    assert.deepEqual(errors, ['[0].Policy.PolicyDetails: must NOT have additional properties ("PolicyTyp")']);
    const wrong = { ...policy, EventSource: { ...policy.EventSource, Type: 'MANAGED' } };
    assert.deepEqual(checkPolicy(JSON.stringify(wrong), NOWHERE).errors, [
      'EventSource.Type: must be equal to constant ("MANAGED_CWE")',
    ]);
    assert.match(checkPolicy('{', NOWHERE).errors.join(), /^policy document: not JSON: /);
    assert.match(checkPolicy('1', NOWHERE).errors.join(), /^policy document: must be object,array/);
  });
});

/** What the command prints for a document with these findings. */
function checked(...findings: object[]): string {
  return JSON.stringify({ format: 'snapferry-check/1', valid: false, files: [{ file: 'policy.json', findings }] });
}

describe('with the command', () => {
  it('its lines are those of the Rust code', () => {
    const found = checked(
      { level: 'error', code: 'policy-invalid', path: 'PolicyType', message: '"x"', allowed: 'EVENT_BASED_POLICY' },
      { level: 'error', code: 'not-json', path: '', message: 'not JSON' },
    );
    assert.deepEqual(checkPolicy('{}', command(found, 1)), {
      errors: ['PolicyType: "x"; allowed: EVENT_BASED_POLICY', 'policy document: not JSON'],
      warnings: [],
    });
  });

  it('warnings are no errors, and notes are nothing', () => {
    const found = checked(
      { level: 'warning', code: 'state-error', path: 'State', message: 'reads as ENABLED' },
      { level: 'note', code: 'matches-everything', path: 'DescriptionRegex', message: 'matches everything' },
    );
    assert.deepEqual(checkPolicy('{}', command(found, 0)), {
      errors: [],
      warnings: ['State: reads as ENABLED (state-error)'],
    });
  });

  it('a command that cannot run is not taken for an answer', () => {
    assert.throws(() => checkPolicy('{}', command('', 2)), /check: /);
    assert.throws(() => checkPolicy('{}', command('not JSON', 1)), SyntaxError);
    assert.throws(
      () => checkPolicy('{}', command('{"format":"snapferry-check/2"}', 0)),
      /build both from one checkout/,
    );
  });

  it(
    'the built one says what the Rust tests say',
    { skip: !existsSync(SNAPFERRY) && `${SNAPFERRY} is not built` },
    () => {
      const policy = { ...examplePolicy(), PolicyType: 'EVENT_BASED_POLICIES' };
      assert.deepEqual(checkPolicy(JSON.stringify(policy)).errors, [
        'PolicyType: "EVENT_BASED_POLICIES"; allowed: EVENT_BASED_POLICY',
      ]);
    },
  );
});
