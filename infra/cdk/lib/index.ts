export type { VaultAlarms } from './alarms';
export { checkPolicy, type Findings } from './check';
export * from './policy';
export * from './snapshot-source';
export * from './snapshot-vault';
export * from './vault-props';
