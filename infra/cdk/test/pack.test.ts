import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';

import { builtFunctions, EXAMPLE_POLICY, REPOSITORY, temporaryFolder } from './scene';

const MODULES = join(REPOSITORY, 'infra', 'cdk', 'node_modules');

/** What an app outside the checkout has of its own: CDK, and what it is written with. */
const OF_THE_APP = ['aws-cdk-lib', 'constructs', 'typescript', '@types'];

/** As much of the repository as the package is made of, so that making it changes nothing under the tests' feet. */
function checkout(): string {
  const folder = temporaryFolder();
  const { bundleDependencies: bundled } = read(join(REPOSITORY, 'infra', 'cdk', 'package.json'));
  for (const each of [
    ...['LICENSE', 'target/plain', 'functions/core/policy.schema.json', 'infra/policy.example.json', 'infra/sam'],
    ...['bin', 'lib', 'scripts', 'test', 'README.md', 'package.json', 'tsconfig.json'].map(
      (name) => `infra/cdk/${name}`,
    ),
  ]) {
    mkdirSync(dirname(join(folder, each)), { recursive: true });
    cpSync(join(REPOSITORY, each), join(folder, each), { recursive: true, preserveTimestamps: true });
  }
  // What is bundled is packed from here; the rest is only compiled with.
  const modules = join(folder, 'infra', 'cdk', 'node_modules');
  mkdirSync(modules);
  const copied = withDependencies(bundled ?? []);
  for (const name of readdirSync(MODULES).filter((each) => each === '.bin' || !each.startsWith('.'))) {
    if (copied.has(name)) {
      cpSync(join(MODULES, name), join(modules, name), { recursive: true });
    } else {
      symlinkSync(join(MODULES, name), join(modules, name));
    }
  }
  return join(folder, 'infra', 'cdk');
}

interface Package {
  readonly dependencies?: Record<string, string>;
  readonly bundleDependencies?: string[];
}

function read(path: string): Package {
  return JSON.parse(readFileSync(path, 'utf8')) as Package;
}

function withDependencies(names: string[]): Set<string> {
  const found = new Set<string>();
  for (const name of names) {
    const { dependencies = {} } = read(join(MODULES, name, 'package.json'));
    [name, ...withDependencies(Object.keys(dependencies))].forEach((each) => found.add(each));
  }
  return found;
}

const APP = `
import { App, Stack } from 'aws-cdk-lib';
import { SnapshotSource, SnapshotVault } from 'snapferry-cdk';

const app = new App();
new SnapshotSource(new Stack(app, 'Source'), 'Source', { targetAccount: '444455556666' });
new SnapshotVault(new Stack(app, 'Vault'), 'Vault', {
  policy: process.argv[2]!,
  code: { folder: process.argv[3]! },
  sweepSchedule: 'rate(30 minutes)',
});
app.synth();
`;

describe('the package', () => {
  it('is all that an app outside this checkout needs, without a network', () => {
    const folder = temporaryFolder();
    const npm = (cwd: string, ...given: string[]): string =>
      execFileSync('npm', [...given, '--offline', '--no-audit', '--no-fund', '--no-update-notifier'], {
        cwd,
        encoding: 'utf8',
      });
    npm(checkout(), 'pack', '--silent', '--pack-destination', folder);
    const [packed] = readdirSync(folder);
    assert.ok(packed);
    writeFileSync(join(folder, 'package.json'), '{ "name": "app", "private": true }');
    npm(folder, 'install', '--silent', '--legacy-peer-deps', packed);
    for (const name of OF_THE_APP) {
      symlinkSync(join(MODULES, name), join(folder, 'node_modules', name));
    }
    writeFileSync(join(folder, 'app.ts'), APP);
    const node = (...given: string[]): string =>
      execFileSync('node', given, { cwd: folder, encoding: 'utf8', env: { ...process.env, CDK_OUTDIR: 'cdk.out' } });
    node(
      join(MODULES, 'typescript', 'bin', 'tsc'),
      ...['--strict', '--module', 'node16', '--target', 'es2022', '--types', 'node', '--skipLibCheck', 'app.ts'],
    );
    node('app.js', EXAMPLE_POLICY, builtFunctions());
    const vault = readFileSync(join(folder, 'cdk.out', 'Vault.template.json'), 'utf8');
    const installed = readdirSync(join(folder, 'node_modules', 'snapferry-cdk'));
    assert.ok(installed.includes('LICENSE'), installed.join(', '));
    assert.match(vault, /"ScheduleExpression": "rate\(30 minutes\)"/);
    assert.match(readFileSync(join(folder, 'cdk.out', 'Source.template.json'), 'utf8'), /AWS::DLM::LifecyclePolicy/);
  });

  it('is not made of templates that were changed since', () => {
    for (const [made, source] of [
      ['target/plain/template.json', 'infra/sam/template.yaml'],
      ['target/plain/source-account.yaml', 'infra/sam/source-account.yaml'],
    ] as const) {
      const cdk = checkout();
      const later = new Date(Date.now() + 60_000);
      utimesSync(join(cdk, '..', '..', source), later, later);
      const { status, stderr } = spawnSync('node', [join(cdk, 'scripts', 'derive.mjs')], { encoding: 'utf8' });
      assert.notEqual(status, 0);
      assert.ok(stderr.includes(`${made} is older than ${source}: run \`make plain\``), stderr);
    }
  });
});
