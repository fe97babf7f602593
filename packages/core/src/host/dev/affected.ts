// Which workers a changed file is a part of. A module itself is its worker's alone; any other file belongs to those modules whose
// folder is the nearest above it.
import { dirname, sep } from 'node:path'

export interface DevModule {
  /** A label, or `core`. */
  name: string
  /** Its path. */
  module: string
}

/** The names of those that a change of `file` is for. */
export function affectedBy(file: string, modules: readonly DevModule[]): string[] {
  const own = modules.filter(({ module }) => module === file)
  if (own.length > 0) return own.map(({ name }) => name)
  const around = modules.filter(({ module }) => isIn(dirname(module), file))
  const nearest = Math.max(...around.map(({ module }) => dirname(module).length))
  return around.filter(({ module }) => dirname(module).length === nearest).map(({ name }) => name)
}

export const isIn = (folder: string, file: string): boolean =>
  file.startsWith(folder.endsWith(sep) ? folder : folder + sep)
