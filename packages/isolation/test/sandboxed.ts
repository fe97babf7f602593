// Creates a hook in a sandbox in this thread, which is locked down.
import { findHook, type HookFunction } from '../src/hook/hook.js'
import { lockDown } from '../src/compartment/lockdown.js'
import { HookSandbox } from '../src/compartment/hook-sandbox.js'

/** @param before - code that runs first, in the hook's scope */
export function sandboxed(hook: string, before = ''): { fn: HookFunction; logs: string[] } {
  lockDown()
  const logs: string[] = []
  const sandbox = new HookSandbox({
    console: (_level, text) => logs.push(text),
    confirm: () => false,
  })
  const scripts = [{ name: 'index.js', source: `${before}\nwindow.__TAURI_ISOLATION_HOOK__ = ${hook}` }]
  sandbox.run(scripts)
  return { fn: findHook(sandbox, { dir: '', scripts })!, logs }
}
