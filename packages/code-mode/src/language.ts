// The language of what a model writes.
import * as nodeModule from 'node:module'
import { Script } from 'node:vm'

/**
 * Returns whether code has types, which the sandbox removes if Node.js can, from 22.13 on, or the package amaro is installed. The host only parses the code as JavaScript, which
 * takes time in proportion to its length: the parser of types can take for ever.
 */
export function detectLanguage(code: string): 'javascript' | 'typescript' {
  try {
    void new Script(`async function code() {\n${code}\n}`)
    return 'javascript'
  } catch {
    return 'stripTypeScriptTypes' in nodeModule || hasAmaro() ? 'typescript' : 'javascript'
  }
}

function hasAmaro(): boolean {
  try {
    nodeModule.createRequire(import.meta.url).resolve('amaro')
    return true
  } catch {
    return false
  }
}
