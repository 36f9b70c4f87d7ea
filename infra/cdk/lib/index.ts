export type { CodeInBucket, CodeInFolder, FunctionCode } from './code';
export type { SourceParameters, VaultParameters } from '../derived/parameters';
export * from './snapshot-source';
export * from './snapshot-vault';
export { IncludedTemplate } from './template';
