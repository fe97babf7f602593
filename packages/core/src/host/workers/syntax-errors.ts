// Where a syntax error stands, in development: Node says it of a program alone, and not of what `import()` rejects with. So the file
// is looked for, by `node --check`, among those that the module imports by relative names, the latest change first.
import { readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** That many files are checked; each takes Node's start. */
const MAX_CHECKED = 20
const MAX_FILES = 1000
const RELATIVE = /(?:\bfrom|\bimport)\s*\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g

/** Adds to the error's message where in the module, or what it imports, the mistake is, and to its stack the line. */
export function explainSyntax(error: Error, module: URL): void {
  if (module.protocol !== 'file:' || !/\bSyntaxError\b/.test(error.stack ?? '')) return
  // Of TypeScript, Node says it itself.
  const own = /^(?:file:\/\/)?([^\n]+\.[cm]?ts):(\d+)\n[^]*?\n\n/.exec(error.stack!)
  const found = own ? { place: `${own[1]}:${own[2]}`, frame: '' } : find(module)
  if (!found) return
  error.message += ` (${found.place})`
  error.stack = `${found.frame}${error.stack}`
}

interface Place {
  place: string
  /** The line, and where in it. */
  frame: string
}

function find(module: URL): Place | undefined {
  const { spawnSync } = process.getBuiltinModule('node:child_process')
  const files = listImports(module).toSorted((a, b) => b.changed - a.changed)
  for (const { path } of files.slice(0, MAX_CHECKED)) {
    const { status, stderr } = spawnSync(process.execPath, ['--check', path], { encoding: 'utf8', timeout: 5000 })
    if (status === 0 || !stderr) continue
    const frame = /^[^\n]+:\d+\n[^]*?\n\n/m.exec(stderr)?.[0]
    if (frame !== undefined) return { place: frame.slice(0, frame.indexOf('\n')), frame }
  }
  return undefined
}

/** The module, and what it imports by relative names. */
function listImports(module: URL): { path: string; changed: number }[] {
  const urls = new Set([new URL(module.pathname, module).href])
  const files: { path: string; changed: number }[] = []
  for (const url of urls) {
    try {
      const path = fileURLToPath(url)
      const source = readFileSync(path, 'utf8')
      if (/\.[cm]?js$/.test(path)) files.push({ path, changed: statSync(path).mtimeMs })
      for (const [, name] of source.matchAll(RELATIVE)) if (urls.size < MAX_FILES) urls.add(new URL(name!, url).href)
    } catch {
      // What is not there is no syntax error.
    }
  }
  return files
}
