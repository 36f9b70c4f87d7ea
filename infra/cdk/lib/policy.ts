import { readFileSync } from 'node:fs';

/*
 * The policy document with DLM's member names, letter for letter, so that what stands in a DLM policy can stand here.
 * What each member means and may be: functions/core/policy.schema.json.
 */

/** DLM's `PolicyDetails` of an event-based policy. */
export interface PolicyDetails {
  readonly PolicyType: 'EVENT_BASED_POLICY';
  readonly PolicyLanguage?: 'STANDARD';
  readonly EventSource: EventSource;
  readonly Actions: Action[];
}

/** What `aws dlm get-lifecycle-policy` answers. */
export interface GetLifecyclePolicyResponse {
  readonly Policy: LifecyclePolicy;
}

/** DLM's `LifecyclePolicy`: a policy with a name of its own. */
export interface LifecyclePolicy {
  /** Part of every copy's identity: changing it means copying anew. */
  readonly PolicyId?: string;
  readonly Description?: string;
  readonly State?: 'ENABLED' | 'DISABLED' | 'ERROR';
  readonly PolicyDetails: PolicyDetails;
}

/** DLM's `EventSource`. */
export interface EventSource {
  readonly Type: 'MANAGED_CWE';
  readonly Parameters: EventParameters;
}

/** DLM's `EventParameters`. */
export interface EventParameters {
  readonly EventType: 'shareSnapshot';
  /** The source accounts whose shared snapshots are copied. */
  readonly SnapshotOwner: string[];
  /** Matches the whole description of a shared snapshot; absent: every description. */
  readonly DescriptionRegex?: string;
}

/** DLM's `Action`. */
export interface Action {
  readonly Name: string;
  readonly CrossRegionCopy: CrossRegionCopy[];
}

/** DLM's `CrossRegionCopyAction`, and Snapferry's additions to it. */
export interface CrossRegionCopy {
  /** The Region that copies go to. */
  readonly Target: string;
  readonly EncryptionConfiguration: EncryptionConfiguration;
  /** How long copies are kept; absent: until somebody deletes them. */
  readonly RetainRule?: RetainRule;
  /** Locks each verified copy. Not a member of DLM's. */
  readonly LockRule?: LockRule;
  /** Tags for the copies besides Snapferry's own. Not a member of DLM's. */
  readonly TagsToAdd?: Tag[];
  /** Makes a time-based copy. Not a member of DLM's. */
  readonly CompletionDurationMinutes?: number;
}

/** DLM's `EncryptionConfiguration`. */
export interface EncryptionConfiguration {
  readonly Encrypted: boolean;
  /** The key of the copies, in the target's Region. */
  readonly CmkArn?: string;
}

/** DLM's `CrossRegionCopyRetainRule`, and Snapferry's `KeepAtLeast`. */
export interface RetainRule {
  readonly Interval: number;
  readonly IntervalUnit: IntervalUnit;
  /** The newest verified copies of a volume that stay whatever their expiry; 1 when absent. Not a member of DLM's. */
  readonly KeepAtLeast?: number;
}

/** Snapferry's `LockRule`. */
export interface LockRule {
  readonly Mode: 'governance' | 'compliance';
  readonly Interval: number;
  readonly IntervalUnit: IntervalUnit;
  /** Hours in which a lock in compliance mode may still be lifted. */
  readonly CoolOffPeriod?: number;
  readonly MayOutliveRetention?: boolean;
}

/** DLM's `RetentionIntervalUnitValues`. */
export type IntervalUnit = 'DAYS' | 'WEEKS' | 'MONTHS' | 'YEARS';

/** EC2's `Tag`. */
export interface Tag {
  readonly Key: string;
  readonly Value: string;
}

/** A document in one of the forms that the functions take. */
export type PolicyDocument = PolicyDetails | GetLifecyclePolicyResponse | GetLifecyclePolicyResponse[];

/** Whom and what a document names: what the roles are limited to. */
export interface Named {
  /** Every `SnapshotOwner`. */
  readonly sourceAccounts: string[];
  /** Every `Target`. */
  readonly targetRegions: string[];
  /** Every `CmkArn`. */
  readonly targetKeyArns: string[];
}

/** The text of a document in a file; a byte order mark, as Windows PowerShell writes it, is left out. */
export function readPolicyFile(path: string): string {
  return readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
}

/** Whom and what a valid document names, each once, in the document's order. */
export function named(document: string): Named {
  const parsed = JSON.parse(document) as PolicyDocument;
  const policies = ('PolicyType' in parsed ? [{ Policy: { PolicyDetails: parsed } }] : [parsed].flat()).map(
    (answer) => answer.Policy.PolicyDetails,
  );
  const copies = policies.flatMap((policy) => policy.Actions.flatMap((action) => action.CrossRegionCopy));
  return {
    sourceAccounts: distinct(policies.flatMap((policy) => policy.EventSource.Parameters.SnapshotOwner)),
    targetRegions: distinct(copies.map((copy) => copy.Target)),
    // DLM's answers may have null for what is absent.
    targetKeyArns: distinct(copies.map((copy) => copy.EncryptionConfiguration.CmkArn).filter((arn) => arn != null)),
  };
}

function distinct(texts: string[]): string[] {
  return [...new Set(texts)];
}
