// Finds the place of a syntax error. Node names the place for a program's main module only, not for a rejected `import()`.
import { readFile, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { withDeadline } from '@sallyport/protocol/internal/contract'
import { isDevelopment, readStack, toPlainText } from '@sallyport/protocol/internal/util'
import { findEmbedder } from '@sallyport/process/internal/permission-model'

/** Files that `node --check` is run for. */
const MAX_CHECKS = 20
const MAX_FILES = 1000
const TIMEOUT_MS = 10_000
const RELATIVE_IMPORT = /(?:\bfrom|\bimport)\s*(?:\(\s*)?['"](\.{1,2}\/[^'"]+)['"]/g

/**
 * Adds the place of a syntax error, in `module` or a relative import of it, to the error's message and stack. In production, the place is the
 * path of `module`: to find the line, processes would be started.
 */
export async function explainSyntax(error: Error, module: URL, signal: AbortSignal): Promise<void> {
  if (module.protocol !== 'file:' || !/\bSyntaxError\b/.test(readStack(error))) return
  // Node itself puts the place of a mistake in TypeScript, and of an import that its module does not export, into the stack.
  const [, path, line] = /(?:^|\n\[cause\]: )(?:file:\/\/)?([^\n]+\.[cm]?[jt]s):(\d+)\n/.exec(error.stack!) ?? []
  if (path !== undefined) return void (error.message += ` (${path}:${line})`)
  const frame =
    (isDevelopment() && findEmbedder() === undefined ? await findFrame(module, signal) : undefined) ??
    describeUnknownPlace(error, module)
  if (frame === undefined) return
  error.message += ` (${frame.slice(0, frame.indexOf('\n'))})`
  error.stack = `${frame}${error.stack}`
}

/** Returns `undefined` for an error that a module's own code threw, such as that of `JSON.parse`. */
const describeUnknownPlace = (error: Error, module: URL): string | undefined =>
  /(?:^|\n\[cause\]: )SyntaxError\b[^\n]*\n +at [^\n]*node:internal\/modules\/|^SyntaxError\b[^\n]*$/.test(
    readStack(error),
  )
    ? `${fileURLToPath(module)}, or a module that it imports\n`
    : undefined

/** Returns `path:line`, the line and a marker below it, as Node prints them. Checks the files that changed last first. */
const findFrame = (module: URL, signal: AbortSignal): Promise<string | undefined> =>
  withDeadline(TIMEOUT_MS, late => checkModules(module, AbortSignal.any([signal, late])))

async function checkModules(module: URL, signal: AbortSignal): Promise<string | undefined> {
  const files = (await listModules(module)).toSorted((a, b) => b.changed - a.changed)
  for (const { path } of files.slice(0, MAX_CHECKS)) {
    if (signal.aborted) return undefined
    const frame = /^.+:\d+\n[^]*?\n\n/m.exec(await checkFile(path, signal))?.[0]
    if (frame !== undefined) return frame
  }
  return undefined
}

async function checkFile(path: string, signal: AbortSignal): Promise<string> {
  const { execFile } = await import('node:child_process')
  return new Promise(resolve => {
    execFile(process.execPath, ['--check', path], { signal }, (error, _, stderr) =>
      resolve(error ? toPlainText(stderr) : ''),
    )
  })
}

/** Lists the module, and those that it imports by relative names, with the times of their last change. */
async function listModules(module: URL): Promise<{ path: string; changed: number }[]> {
  const urls = new Set([new URL(module.pathname, module).href])
  const files: { path: string; changed: number }[] = []
  for (const url of urls) {
    try {
      const path = fileURLToPath(url)
      const source = await readFile(path, 'utf8')
      if (/\.[cm]?js$/.test(path)) files.push({ path, changed: (await stat(path)).mtimeMs })
      for (const [, name] of source.matchAll(RELATIVE_IMPORT)) {
        if (urls.size < MAX_FILES) urls.add(new URL(name!, url).href)
      }
    } catch {
      // A missing file is not a syntax error.
    }
  }
  return files
}
