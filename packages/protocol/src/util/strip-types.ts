// Removes the types of TypeScript from code as text, as Node itself does for files: blanks take their place, so that all else keeps its own.

type StripTypes = (code: string, options: { mode: 'strip' }) => string

/** True if a name is that of TypeScript. */
export const isTypeScriptName = (name: string): boolean => /\.m?ts$/.test(name)

interface Mistake {
  readonly position: string
  readonly message: string
}

/** A body is parsed within a function, because it can return. */
const BODY = ['async () => {', '\n}'] as const

/**
 * Returns the code, or why it has none: the place of a mistake as `:line:column`, if it is known, and a message.
 *
 * @param isBody - whether the code is the body of an async function
 */
export function stripTypes(code: string, isBody: boolean): { code: string; mistake?: never } | { mistake: Mistake } {
  const { stripTypeScriptTypes } = process.getBuiltinModule('node:module') as { stripTypeScriptTypes?: StripTypes }
  if (!stripTypeScriptTypes) {
    const remedy = 'Run the host with Node.js 22.13 or later, or remove the types first, for example with esbuild'
    return { mistake: { position: '', message: `Node.js ${process.versions.node} cannot remove its types. ${remedy}` } }
  }
  const [before, after] = isBody ? BODY : ['', '']
  // Node calls it an experiment, which its user cannot see.
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    const stripped = stripTypeScriptTypes(`${before}${code}${after}`, { mode: 'strip' })
    return { code: stripped.slice(before.length, stripped.length - after.length) }
  } catch (error) {
    return { mistake: findMistake(error as Error, code, before.length) }
  } finally {
    process.emitWarning = emitWarning
  }
}

function findMistake({ message, stack = '' }: Error, code: string, offset: number): Mistake {
  // Node prints the number of the line, some lines before it, and a marker below it. At the end of the code there is no marker.
  const [, text] = /^.*:(\d+)\n/.exec(stack) ?? []
  if (text === undefined) return { position: '', message }
  const lines = code.split(/\r\n|[\n\r\u2028\u2029]/)
  const line = Number(text)
  if (line > lines.length) return { position: `:${lines.length}:${lines.at(-1)!.length + 1}`, message }
  const [, marker] = /^([ \t]*)\^+$/m.exec(stack) ?? []
  const column = marker === undefined ? '' : `:${Math.max(1, marker.length + 1 - (line === 1 ? offset : 0))}`
  return { position: `:${line}${column}`, message }
}
