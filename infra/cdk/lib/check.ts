import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import Ajv2020, { type ErrorObject } from 'ajv/dist/2020';

import { DERIVED } from './template';

/** What is right, and what is wrong, with a document, and what it names. */
export interface Checked {
  /** The command, or the schema, that looked. */
  readonly by: string;
  /** A valid document has none. Each is one line: the member's path, what is wrong, what is allowed. */
  readonly errors: readonly string[];
  /** What is accepted and deserves a look. */
  readonly warnings: readonly string[];
  /** The policies of a valid document, as `aws dlm get-lifecycle-policy` prints one. */
  readonly policies: readonly LifecyclePolicyAnswer[];
}

/** As much of a policy as the template repeats, with DLM's member names. */
export interface LifecyclePolicyAnswer {
  readonly Policy: { readonly PolicyDetails: PolicyDetails };
}

interface PolicyDetails {
  readonly EventSource: {
    readonly Parameters: { readonly SnapshotOwner: readonly string[]; readonly SourceTypes?: readonly string[] | null };
  };
  readonly Actions: readonly { readonly CrossRegionCopy: readonly CrossRegionCopy[] }[];
}

interface CrossRegionCopy {
  readonly Target: string;
  readonly EncryptionConfiguration: { readonly CmkArn?: string | null };
  readonly LockRule?: { readonly Interval: number; readonly IntervalUnit: IntervalUnit } | null;
}

export type IntervalUnit = 'DAYS' | 'WEEKS' | 'MONTHS' | 'YEARS';

/**
 * The command that checks policies: the one that is given here or in the environment's SNAPFERRY, else the one on the PATH,
 * else none.
 */
export function findCommand(given = process.env['SNAPFERRY']): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(':').filter((folder) => folder !== '');
  return (
    (given === '' ? undefined : given) ??
    folders.map((folder) => join(folder, 'snapferry')).find((file) => existsSync(file))
  );
}

/**
 * Checks a policy document as the functions will when they start, with `snapferry check`; and without a command with the
 * JSON Schema, which cannot say everything and says it in its own words.
 *
 * @throws an error where the command does not run, or is of another version
 */
export function checkPolicy(document: Buffer, command: string | undefined): Checked {
  return command === undefined ? checkWithSchema(document) : checkWithCommand(document, command);
}

/** What `snapferry check --json` prints. */
interface Printed {
  readonly format: string;
  readonly files: readonly {
    readonly findings: readonly Finding[];
    readonly policies?: readonly LifecyclePolicyAnswer[];
  }[];
}

interface Finding {
  readonly level: 'error' | 'warning' | 'note';
  readonly code: string;
  readonly path: string;
  readonly message: string;
  readonly allowed?: string;
}

const FORMAT = 'snapferry-check/1';

/** Exit codes of `snapferry`: 0 fine, 1 findings, 2 it could not run. */
function checkWithCommand(document: Buffer, command: string): Checked {
  const folder = mkdtempSync(join(tmpdir(), 'snapferry-'));
  try {
    const file = join(folder, 'policy.json');
    writeFileSync(file, document);
    const run = spawnSync(command, ['check', '--json', file], { encoding: 'utf8' });
    if (run.error ?? (run.status !== 0 && run.status !== 1)) {
      throw new Error(`${command} check: ${run.error?.message ?? run.stderr.trim()}`);
    }
    const { format, files } = JSON.parse(run.stdout) as Printed;
    if (format !== FORMAT) {
      throw new Error(`${command} check: prints ${format}, not ${FORMAT}: take both from one release`);
    }
    const findings = files.flatMap((each) => each.findings);
    const of = (level: Finding['level']): string[] => findings.filter((each) => each.level === level).map(line);
    const policies = files.flatMap((each) => each.policies ?? []);
    return { by: `${command} check`, errors: of('error'), warnings: of('warning'), policies };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** In the words of the Rust code's `Display`. */
function line({ level, path, message, allowed, code }: Finding): string {
  const end = level === 'error' ? (allowed === undefined ? '' : `; allowed: ${allowed}`) : ` (${code})`;
  return `${path === '' ? 'policy document' : path}: ${message}${end}`;
}

function checkWithSchema(document: Buffer): Checked {
  const by = 'the JSON Schema of policies; snapferry, which can say more, is neither in SNAPFERRY nor on the PATH';
  let parsed: unknown;
  try {
    parsed = JSON.parse(text(document));
  } catch (error) {
    return { by, errors: [`policy document: not JSON: ${(error as Error).message}`], warnings: [], policies: [] };
  }
  const schema = JSON.parse(readFileSync(join(DERIVED, 'policy.schema.json'), 'utf8')) as object;
  const validate = new Ajv2020({ strictTypes: false }).compile(schema);
  if (!validate(parsed)) {
    const errors = (validate.errors ?? []).filter(saysSomething).map(inWords);
    return { by, errors, warnings: [], policies: [] };
  }
  const answers = [parsed].flat() as (LifecyclePolicyAnswer | PolicyDetails)[];
  const policies = answers.map((each) => ('Policy' in each ? each : { Policy: { PolicyDetails: each } }));
  return { by, errors: [], warnings: [`the policy was checked by ${by}`], policies };
}

/** As Windows PowerShell writes it, too: in UTF-16, or with a byte order mark, which is left out. */
function text(document: Buffer): string {
  const mark = document.subarray(0, 2).toString('hex');
  const encoding = mark === 'fffe' ? 'utf-16le' : mark === 'feff' ? 'utf-16be' : 'utf-8';
  return new TextDecoder(encoding, { fatal: true }).decode(document);
}

/** That an `if` led to a failed `then` is said by the failed keyword itself. */
function saysSomething(error: ErrorObject): boolean {
  return error.keyword !== 'if';
}

function inWords({ instancePath, message, keyword, params }: ErrorObject): string {
  const path = instancePath
    .split('/')
    .slice(1)
    .map((segment) => (/^\d+$/.test(segment) ? `[${segment}]` : `.${segment}`))
    .join('')
    .replace(/^\./, '');
  const given = params as Record<string, unknown>;
  const detail: Record<string, unknown> = {
    additionalProperties: given['additionalProperty'],
    const: given['allowedValue'],
    enum: given['allowedValues'],
  };
  const more = detail[keyword] === undefined ? '' : ` (${JSON.stringify(detail[keyword])})`;
  return `${path === '' ? 'policy document' : path}: ${message ?? keyword}${more}`;
}
