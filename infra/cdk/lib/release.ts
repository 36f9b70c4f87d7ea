import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** What a ZIP file's end begins with, and how long it is without the comment behind it. */
const END = Buffer.from('PK\x05\x06');
const END_BYTES = 22;

/**
 * Refuses a function's package that the release's checksums beside it do not list as it is, or that says in its comment
 * that it is another function, for another architecture, or of another version than these constructs.
 */
export function refuseAnother(zip: string, name: string, architecture: string): void {
  const content = readFileSync(zip);
  const sums = join(dirname(zip), 'SHA256SUMS');
  if (existsSync(sums)) {
    const digest = createHash('sha256').update(content).digest('hex');
    const listed = readFileSync(sums, 'utf8').split('\n');
    if (!listed.some((line) => line === `${digest}  ${basename(zip)}` || line === `${digest} *${basename(zip)}`)) {
      throw new Error(`${zip} is not what ${sums} says: it is damaged, or was changed`);
    }
  }
  const end = content.lastIndexOf(END);
  const said = end < 0 ? '' : content.toString('utf8', end + END_BYTES);
  const [program, version, , ...what] = said.split(' ');
  // A package that somebody made otherwise says nothing.
  if (program === 'snapferry' && (version !== ours() || what.join(' ') !== `${name} ${architecture}`)) {
    throw new Error(
      `${zip} is '${said}', and these constructs are of ${ours()} and want ${name} for ${architecture}: they are of ` +
        'two releases, or the file has the name of another',
    );
  }
}

function ours(): string {
  const manifest = readFileSync(join(__dirname, '..', '..', 'package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
