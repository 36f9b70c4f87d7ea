export { checkPolicy, type Findings } from './check';
export * from './policy';
export * from './snapshot-vault';
export * from './snapshot-source';
