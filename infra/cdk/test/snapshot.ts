import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The snapshots lie beside the sources, not beside what was compiled from them. */
const SNAPSHOTS = join(__dirname, '..', '..', 'test', 'snapshots');

/** Compares with what was reviewed and committed; `npm run snapshots` writes it anew. */
export function assertSnapshot(name: string, actual: unknown): void {
  const path = join(SNAPSHOTS, `${name}.json`);
  const text = `${JSON.stringify(actual, null, 2)}\n`;
  if (process.env['UPDATE_SNAPSHOTS'] !== undefined) {
    writeFileSync(path, text);
  }
  assert.ok(existsSync(path), `${path} does not exist: npm run snapshots`);
  assert.deepEqual(JSON.parse(text), JSON.parse(readFileSync(path, 'utf8')));
}
