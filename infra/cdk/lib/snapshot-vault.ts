import type { Construct } from 'constructs';

import { acknowledge } from './acknowledged';
import { type FunctionCode, readCode, takeCode, takePolicy } from './code';
import { fitIntoIam } from './limits';
import { VAULT_PARAMETERS, type VaultParameters } from '../derived/parameters';
import { annotate, readPolicy } from './policy';
import { IncludedTemplate } from './template';
import { values } from './values';

/** The template's parameters and, in place of some of them, the policy and the code. */
export interface SnapshotVaultProps extends VaultParameters {
  /**
   * The event-based DLM policy, as the path of a JSON file or as an object: `PolicyDetails`, what
   * `aws dlm get-lifecycle-policy` prints, or an array of those. The roles are limited to the accounts, Regions and keys that
   * it names.
   */
  readonly policy: string | object;
  /** Where the functions' packages are. */
  readonly code: FunctionCode;
  /**
   * The command that checks the policy.
   *
   * @default - the environment's SNAPFERRY, else `snapferry` on the PATH, else the policy is checked with its JSON Schema
   */
  readonly snapferry?: string;
}

/**
 * The target account's side: copies EBS snapshots that other accounts share with this one into this account's own
 * Regions and keys, verifies the copies and deletes them when their retention is over. One per source Region, and one in a
 * stack.
 */
export class SnapshotVault extends IncludedTemplate {
  constructor(scope: Construct, id: string, props: SnapshotVaultProps) {
    const { policy: given, code: place, snapferry, ...others } = props;
    const where = `${scope.node.path}/${id}`;
    const code = readCode(where, place);
    const policy = readPolicy(where, given, snapferry);
    super(
      scope,
      id,
      'template.json',
      values(where, VAULT_PARAMETERS, { ...others, ...policy.named, ...fromCode(code) }),
    );
    annotate(this, policy);
    takePolicy(this, policy.document);
    takeCode(this, code, others.architecture ?? DEFAULT_ARCHITECTURE);
    fitIntoIam(this);
    acknowledge(this, 'vault');
  }
}

const DEFAULT_ARCHITECTURE = String(VAULT_PARAMETERS['Architecture']?.Default);

/** Assets take the place of what these say, in a folder's case and in the policy's. */
function fromCode(code: FunctionCode): object {
  const { bucket, prefix } = 'bucket' in code ? code : { bucket: 'assets', prefix: '' };
  return { codeBucket: bucket, codePrefix: prefix, policy: '', policyKey: 'policy.zip' };
}
