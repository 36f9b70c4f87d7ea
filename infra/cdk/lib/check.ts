import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import Ajv2020, { type ErrorObject } from 'ajv/dist/2020';

/** The checkout that this file is in, seen from `dist/lib`. */
export const REPOSITORY = resolve(__dirname, '..', '..', '..', '..');

/** Where `make cli` leaves the operator's command. */
export const SNAPFERRY = join(REPOSITORY, 'target', 'release', 'snapferry');

const SCHEMA = join(REPOSITORY, 'functions', 'core', 'policy.schema.json');

/** What is right, and what is wrong, with a document. */
export interface Findings {
  /** A valid document has none. Each is one line: the member's path, what is wrong, what is allowed. */
  readonly errors: string[];
  /** What is accepted and deserves a look. */
  readonly warnings: string[];
}

/**
 * Checks a policy document as the functions will when they start: with `snapferry check` where it is built, and else
 * with the JSON Schema, which says less and in its own words.
 */
export function checkPolicy(document: string, snapferry: string = SNAPFERRY): Findings {
  return existsSync(snapferry) ? checkWithCommand(document, snapferry) : checkWithSchema(document);
}

/** What `snapferry check --json` prints, of format `snapferry-check/1`. */
interface Checked {
  readonly format: string;
  readonly files: { readonly findings: Finding[] }[];
}

/** An error or a warning of the Rust code. */
interface Finding {
  readonly level: 'error' | 'warning' | 'note';
  readonly code: string;
  readonly path: string;
  readonly message: string;
  readonly allowed?: string;
}

const FORMAT = 'snapferry-check/1';

/** Exit codes of `snapferry`: 0 fine, 1 findings, 2 it could not run. */
function checkWithCommand(document: string, snapferry: string): Findings {
  const folder = mkdtempSync(join(tmpdir(), 'snapferry-'));
  try {
    const file = join(folder, 'policy.json');
    writeFileSync(file, document);
    const run = spawnSync(snapferry, ['check', '--json', file], { encoding: 'utf8' });
    if (run.error ?? (run.status !== 0 && run.status !== 1)) {
      throw new Error(`${snapferry} check: ${run.error?.message ?? run.stderr.trim()}`);
    }
    const { format, files } = JSON.parse(run.stdout) as Checked;
    if (format !== FORMAT) {
      throw new Error(`${snapferry} check: prints ${format}, not ${FORMAT}: build both from one checkout`);
    }
    const findings = files.flatMap((each) => each.findings);
    const of = (level: Finding['level']): string[] => findings.filter((each) => each.level === level).map(line);
    return { errors: of('error'), warnings: of('warning') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** In the words of the Rust code's `Display`. */
function line({ level, path, message, allowed, code }: Finding): string {
  const end = level === 'error' ? (allowed === undefined ? '' : `; allowed: ${allowed}`) : ` (${code})`;
  return `${path === '' ? 'policy document' : path}: ${message}${end}`;
}

function checkWithSchema(document: string): Findings {
  let parsed: unknown;
  try {
    parsed = JSON.parse(document);
  } catch (error) {
    return { errors: [`policy document: not JSON: ${(error as Error).message}`], warnings: [] };
  }
  const schema = JSON.parse(readFileSync(SCHEMA, 'utf8')) as object;
  const validate = new Ajv2020({ strictTypes: false }).compile(schema);
  const errors = validate(parsed) ? [] : (validate.errors ?? []).filter(saysSomething).map(inWords);
  return { errors, warnings: [] };
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
