/*
 * `node parity.js CASES FOLDER`: makes a stack of each case, which is written in the parameters of the templates, and leaves
 * it in FOLDER. tests/parity compares it with what the template becomes with these parameters.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { SnapshotSource, type SnapshotSourceProps, SnapshotVault } from '../lib';
import { newStack, REPOSITORY, synthesized } from './scene';

type Case = Readonly<Record<string, string>>;

/** The props of a case: what is a list, a number or a switch for the template's text is one for the construct. */
function props(parameters: Case): object {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => {
      const typed = /Arns$|Regions$/.test(name)
        ? value.split(',')
        : /^(\d{1,4}|true|false)$/.test(value)
          ? (JSON.parse(value) as unknown)
          : value;
      return [name.charAt(0).toLowerCase() + name.slice(1), typed];
    }),
  );
}

const MAKE: Record<string, (parameters: Case) => object> = {
  vault: ({ Policy: policy, CodeBucket: bucket, CodePrefix: prefix, ...others }) => {
    assert.ok(policy !== undefined && bucket !== undefined && prefix !== undefined);
    const given = { policy: join(REPOSITORY, policy), code: { bucket, prefix }, ...props(others) };
    const stack = newStack();
    new SnapshotVault(stack, 'Vault', given);
    return synthesized(stack).toJSON();
  },
  source: (parameters) => {
    const stack = newStack();
    new SnapshotSource(stack, 'Source', { ...props(parameters) } as SnapshotSourceProps);
    return synthesized(stack).toJSON();
  },
};

function main([cases, folder]: string[]): void {
  assert.ok(cases !== undefined && folder !== undefined, 'node parity.js CASES FOLDER');
  const given = JSON.parse(readFileSync(cases, 'utf8')) as Record<string, Record<string, Case>>;
  for (const [kind, make] of Object.entries(MAKE)) {
    for (const [name, parameters] of Object.entries(given[kind] ?? {})) {
      writeFileSync(join(folder, `${kind} ${name}.json`), JSON.stringify(make(parameters), null, 1));
    }
  }
}

main(process.argv.slice(2));
