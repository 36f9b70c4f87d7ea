import type { Construct } from 'constructs';

import { acknowledge } from './acknowledged';
import { SOURCE_PARAMETERS, type SourceParameters } from '../derived/parameters';
import { IncludedTemplate } from './template';
import { values } from './values';

/** The template's parameters. */
export type SnapshotSourceProps = SourceParameters;

/**
 * A source account's side: a KMS key that the target account may use, and a Data Lifecycle Manager policy that creates
 * snapshots on a schedule and shares them with the target account. One per Region of the volumes, and one in a stack.
 */
export class SnapshotSource extends IncludedTemplate {
  constructor(scope: Construct, id: string, props: SnapshotSourceProps) {
    super(scope, id, 'source-account.json', values(`${scope.node.path}/${id}`, SOURCE_PARAMETERS, { ...props }));
    acknowledge(this, 'source');
  }
}
