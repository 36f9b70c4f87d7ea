import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { IgnoreMode } from 'aws-cdk-lib';
import { CfnFunction, CfnLayerVersion } from 'aws-cdk-lib/aws-lambda';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { Construct } from 'constructs';

import { refuseAnother } from './release';

/** Where the functions' packages are. */
export type FunctionCode = CodeInFolder | CodeInBucket;

/** A folder that has a `<function>-<architecture>.zip`, or a `<function>/bootstrap`, for each function; CDK uploads them as assets. */
export interface CodeInFolder {
  /** The folder: a release's `dist`, or the checkout's `target/lambda`. */
  readonly folder: string;
}

/** A bucket that has a `<function>-<architecture>.zip` for each function. */
export interface CodeInBucket {
  /**
   * The bucket's name without the hyphen and the Region at its end: my-code for the bucket my-code-eu-west-1, when the
   * stack is in eu-west-1.
   */
  readonly bucket: string;
  /** The beginning of the packages' keys, such as `0.1.0/`, or empty; another version needs another one. */
  readonly prefix: string;
}

/** What the name of a Region ends a bucket's name with. */
const REGION = /-(?:[a-z]{2}|eusc)(?:-(?:gov|iso[a-z]?|de))?-(?:north|south|east|west|central)[a-z]*-\d$/;

/** @throws an error where `given`, which an app in JavaScript may make anything, is not one place */
export function readCode(where: string, given: Partial<CodeInFolder & CodeInBucket> | undefined): FunctionCode {
  const { folder, bucket, prefix = '' } = given ?? {};
  if (folder !== undefined && bucket === undefined) {
    return { folder };
  }
  if (folder !== undefined || bucket === undefined) {
    throw new Error(`${where}: code is either { folder } or { bucket, prefix }`);
  }
  if (REGION.test(bucket)) {
    throw new Error(`${where}: code.bucket is without the hyphen and the Region, which the template adds: ${bucket}`);
  }
  return { bucket, prefix };
}

/** Lets the functions of `template` take their packages for `architecture` from where `code` says. */
export function takeCode(template: Construct, code: FunctionCode, architecture: string): void {
  if ('bucket' in code) {
    return;
  }
  const assets = new Map<string, Asset>();
  for (const each of template.node.children.filter((child) => child instanceof CfnFunction)) {
    const name = packageOf(each.node.id);
    const asset = assets.get(name) ?? uploaded(template, code.folder, name, architecture);
    assets.set(name, asset);
    each.code = inBucket(asset);
  }
}

/** The package of a function; one is that of all three for databases. */
function packageOf(logicalId: string): string {
  return logicalId.includes('Database') ? 'databases' : logicalId.replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();
}

/** Lets the functions of `template` take this policy, of which the template makes a layer. */
export function takePolicy(template: Construct, document: Buffer): void {
  const folder = mkdtempSync(join(tmpdir(), 'snapferry-'));
  try {
    const file = join(folder, 'policy.json');
    writeFileSync(file, document);
    // Lambda reads it as another user, whatever the umask is here.
    chmodSync(file, 0o644);
    const asset = new Asset(template, 'Policy', { path: folder });
    for (const each of template.node.children.filter((child) => child instanceof CfnLayerVersion)) {
      each.content = inBucket(asset);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function inBucket({ s3BucketName: s3Bucket, s3ObjectKey: s3Key }: Asset): { s3Bucket: string; s3Key: string } {
  return { s3Bucket, s3Key };
}

function uploaded(template: Construct, folder: string, name: string, architecture: string): Asset {
  const id = `Code ${name}`;
  const zip = join(folder, `${name}-${architecture}.zip`);
  if (existsSync(zip)) {
    refuseAnother(zip, name, architecture);
    return new Asset(template, id, { path: zip });
  }
  if (!existsSync(join(folder, name, 'bootstrap'))) {
    throw new Error(
      `neither ${zip} nor ${join(folder, name, 'bootstrap')} exists: name a release's folder, or run \`make build\` in the checkout`,
    );
  }
  return new Asset(template, id, {
    path: join(folder, name),
    exclude: ['*', '!bootstrap'],
    ignoreMode: IgnoreMode.GIT,
  });
}
