// TypeScript as input, where Node.js can remove its types.
import * as nodeModule from 'node:module'
import { Script } from 'node:vm'

/** Returns JavaScript for TypeScript whose top level has `await` and `return`. */
export type StripTypes = (code: string) => string | Promise<string>

const BEFORE = 'async function code() {\n'
const AFTER = '\n}'

/** Removes types with Node.js, which has that from 22.13 on. Lines and columns stay. */
const stripWithNode: StripTypes = code => {
  const { stripTypeScriptTypes: strip } = nodeModule as { stripTypeScriptTypes?: (code: string) => string }
  return strip ? strip(`${BEFORE}${code}${AFTER}`).slice(BEFORE.length, -AFTER.length) : code
}

/** Returns JavaScript. Code that is JavaScript already, or that cannot be parsed, stays as it is: the sandbox has the better error. */
export async function toJavaScript(code: string, stripTypes: StripTypes = stripWithNode): Promise<string> {
  try {
    void new Script(`${BEFORE}${code}${AFTER}`)
    return code
  } catch {
    return Promise.resolve(code)
      .then(stripTypes)
      .catch(() => code)
  }
}
