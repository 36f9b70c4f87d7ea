import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** What a ZIP file's end begins with, and how long it is without the comment behind it. */
const END = Buffer.from('PK\x05\x06');
const END_BYTES = 22;

/**
 * Refuses a function's package that the release's checksums beside it, where there are any, do not list as it is; one that
 * is no ZIP file; and one that says in its comment that it is another function, for another architecture, or of another
 * version than these constructs.
 */
export function refuseAnother(zip: string, name: string, architecture: string): void {
  const content = readFileSync(zip);
  const sums = join(dirname(zip), 'SHA256SUMS');
  if (existsSync(sums) && listed(sums, basename(zip)) !== createHash('sha256').update(content).digest('hex')) {
    throw new Error(`${zip} is not what ${sums} says: it is damaged, or was changed`);
  }
  const end = content.lastIndexOf(END);
  if (end < 0) {
    throw new Error(`${zip} is no ZIP file`);
  }
  const said = content.toString('utf8', end + END_BYTES);
  const [program, version, , ...what] = said.split(' ');
  // A package that somebody made otherwise says nothing.
  if (program === 'snapferry' && (version !== ours() || what.join(' ') !== `${name} ${architecture}`)) {
    throw new Error(
      `${zip} is '${said}', and these constructs are of ${ours()} and want ${name} for ${architecture}: they are of ` +
        'two releases, or the file has the name of another',
    );
  }
}

/** The checksum of a file in a list as sha256sum writes it; none where it is not listed, or twice with two checksums. */
function listed(sums: string, file: string): string | undefined {
  const found = new Set<string>();
  for (const line of readFileSync(sums, 'utf8').split(/\r?\n/)) {
    const [, digest, name] = /^([0-9a-fA-F]{64}) [ *](.+)$/.exec(line) ?? [];
    if (digest !== undefined && name === file) {
      found.add(digest.toLowerCase());
    }
  }
  return found.size === 1 ? [...found][0] : undefined;
}

function ours(): string {
  const manifest = readFileSync(join(__dirname, '..', '..', 'package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
