// Whether a comparison could find anything: no, if no file differs that a program could run. What is compiled counts as it is built.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { git } from './git.js'

/** Texts, tests, declarations, source maps, logs, and what CI reads. */
const INERT =
  /\.(?:md|map|log|tsbuildinfo|d\.[cm]?ts)$|\.(?:test|spec)\.[cm]?[jt]sx?$|^\.github\/|(?:^|\/)(?:LICENSE|\.gitignore)$/
const COMPILED = /\.[cm]?tsx?$/

/** Selects what a program could run, without the directory `out`. Its own arguments count, whatever they are. */
export function selectRun(changes: readonly string[], out: string, args: readonly string[]): string[] {
  const isRun = (path: string): boolean =>
    !INERT.test(path) || args.some(argument => path.endsWith(argument) || argument.endsWith(`/${path}`))
  return changes.filter(path => isRun(path) && !path.startsWith(`${out}/`))
}

/**
 * - `isSame`: each change is of a file that is compiled, and both sides have built the same of it
 * - `stale`: a changed source of which the head has an older output, or none
 */
export async function readBuilds(
  changes: readonly string[],
  top: string,
  base: string,
): Promise<{ isSame: boolean; stale?: string | undefined }> {
  const sources = changes.filter(path => COMPILED.test(path))
  if (sources.length === 0) return { isSame: false }
  const ignored = ['--others', '--ignored', '--exclude-standard', '--', ':(exclude,glob)**/node_modules/**']
  const built = (await git(['ls-files', '-z', ...ignored], { cwd: base })).split('\0').filter(Boolean)
  const getOutputs = (source: string): string[] => built.filter(output => isOutputOf(source, output))
  const stale = sources.find(
    source => existsSync(join(top, source)) && getOutputs(source).some(output => !isNewer(top, output, source)),
  )
  if (stale !== undefined || sources.length < changes.length) return { isSame: false, stale }
  const isAlike = (path: string): boolean =>
    existsSync(join(top, path)) && readFileSync(join(top, path)).equals(readFileSync(join(base, path)))
  const isBuilt = (source: string): boolean => getOutputs(source).some(output => isNewer(top, output, source))
  return { isSame: sources.every(isBuilt) && built.every(path => INERT.test(path) || isAlike(path)) }
}

/** `packages/a/src/b/c.ts` and `packages/a/dist/b/c.js`. Another source can be run as it is. */
function isOutputOf(source: string, output: string): boolean {
  const [, place = '', name] = /^((?:.*\/)?)src\/(.*)\.[cm]?tsx?$/.exec(source) ?? []
  return (
    name !== undefined &&
    output.startsWith(place) &&
    /^[^/]+\/(.*)\.[cm]?js$/.exec(output.slice(place.length))?.[1] === name
  )
}

/** False for what was built before the source has changed. */
const isNewer = (top: string, output: string, source: string): boolean => {
  const [built, changed] = [output, source].map(path => statSync(join(top, path), { throwIfNoEntry: false }))
  return built !== undefined && changed !== undefined && built.mtimeMs >= changed.mtimeMs
}
