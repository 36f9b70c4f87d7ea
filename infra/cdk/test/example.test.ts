import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';

import { builtFunctions, REPOSITORY, temporaryFolder } from './scene';

/** As much of the repository as the example needs, with placeholders where `make build` leaves the functions. */
function checkout(): string {
  const folder = temporaryFolder();
  for (const each of ['infra/cdk/dist', 'infra/cdk/derived', 'infra/policy.example.json']) {
    mkdirSync(dirname(join(folder, each)), { recursive: true });
    cpSync(join(REPOSITORY, each), join(folder, each), { recursive: true });
  }
  cpSync(builtFunctions(), join(folder, 'target', 'lambda'), { recursive: true });
  symlinkSync(join(REPOSITORY, 'infra/cdk/node_modules'), join(folder, 'infra/cdk/node_modules'));
  return folder;
}

describe('the example', () => {
  it('has both accounts, and nothing to object to', () => {
    const folder = checkout();
    const out = join(folder, 'cdk.out');
    const cdk = join(folder, 'infra', 'cdk');
    const { context } = JSON.parse(readFileSync(join(REPOSITORY, 'infra/cdk/cdk.json'), 'utf8')) as { context: object };
    const run = spawnSync('node', [join(cdk, 'dist', 'bin', 'example.js')], {
      cwd: cdk,
      encoding: 'utf8',
      env: { ...process.env, CDK_OUTDIR: out, CDK_CONTEXT_JSON: JSON.stringify(context) },
    });
    assert.equal(run.status, 0, run.stderr);
    for (const [stack, type] of [
      ['SnapferrySource', 'AWS::DLM::LifecyclePolicy'],
      ['SnapferryVault', 'AWS::Lambda::Function'],
    ] as const) {
      const template = JSON.parse(readFileSync(join(out, `${stack}.template.json`), 'utf8')) as {
        Resources: Record<string, { Type: string }>;
      };
      assert.ok(Object.values(template.Resources).some((resource) => resource.Type === type));
    }
  });
});
