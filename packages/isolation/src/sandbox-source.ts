// Makes one program of an app's scripts. Classic scripts share their top-level names, so they are evaluated in one
// scope; what this loses (which script a line belongs to) is given back here, for messages.
import type { IsolationScript } from './sandbox.js'

export const HOOK_NAME = '__TAURI_ISOLATION_HOOK__'
/** A function of the sandbox, while it loads: each script says that its turn has come. */
export const TURN_NAME = '__sallyport_turn__'

export interface Program {
  readonly source: string
  /** Which script a line of the program (from 1) belongs to, and its line there. */
  locate(line: number): string
}

/**
 * The program's value is a function that reads the hook: a top-level `function __TAURI_ISOLATION_HOOK__` is a property
 * of `window` in a browser, but not in a Compartment.
 */
export function joinScripts(scripts: readonly IsolationScript[]): Program {
  let source = ''
  let lines = 1
  const starts: { name: string; line: number }[] = []
  scripts.forEach(({ name, source: text }, index) => {
    const head = `${index === 0 ? '' : '\n'};${TURN_NAME}(${index});`
    lines += index === 0 ? 0 : 1
    starts.push({ name, line: lines })
    source += head + text
    lines += text.split('\n').length - 1
  })
  source += `\n;() => (typeof ${HOOK_NAME} === 'undefined' ? undefined : ${HOOK_NAME})`
  source += `\n//# sourceURL=isolation-app/${scripts.length === 1 ? scripts[0]?.name : 'scripts'}`
  return {
    source,
    locate: line => {
      const found = starts.findLast(start => start.line <= line)
      return found ? `${found.name}:${line - found.line + 1}` : 'the scripts'
    },
  }
}
