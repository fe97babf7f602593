export interface ModuleRecord {
  open?: Record<string, string[]>
  constants?: string
}
export type NodeExportRecord = Record<string, ModuleRecord>
export function readRecord(): NodeExportRecord
export function writeRecord(record: NodeExportRecord): void
export function findClass(record: NodeExportRecord, id: string, name: string): string | undefined
export function toLines(names: readonly string[]): string[]
