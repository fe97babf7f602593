// Plugins in isolated-vm, which has native code and an install script: it is measured only if it is installed. Its heap and its thread are
// apart from the host's, in one process.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { findPackage, readVersion } from '../run/machine.js'
import type { HostCode } from './host-code.js'
import { type Plugin, type PluginHost, SCRIPT } from './plugin-host.js'

/** The parts of isolated-vm that are used. */
interface IsolatedVm {
  Isolate: new (options: { memoryLimit: number }) => {
    createContext(): Promise<Context>
    compileScript(text: string): Promise<{ run(context: Context): Promise<unknown> }>
    dispose(): void
  }
  Reference: new (value: unknown) => object
}

interface Context {
  global: { set(name: string, value: object): Promise<void> }
  evalClosure(text: string, args: unknown[], options: object): Promise<unknown>
}

/** isolated-vm needs this option since Node 20. */
export const NODE_OPTIONS: readonly string[] = ['--no-node-snapshot']

const MEMORY_LIMIT_MIB = 256

/** Finds it in the working directory, or next to this package. */
const findIsolatedVm = (): string | undefined => findPackage('isolated-vm', process.cwd()) ?? findPackage('isolated-vm')

/** Returns why it cannot be measured. */
export const lacksIsolatedVm = (): string | undefined =>
  findIsolatedVm() === undefined ? 'isolated-vm is not installed' : undefined

/** Returns the installed version for the title of the arm. */
export const readIsolatedVmVersion = (): string =>
  lacksIsolatedVm() === undefined ? readVersion('isolated-vm', findIsolatedVm()) : ''

const COPIES = { arguments: { copy: true }, result: { promise: true, copy: true } }

/** `invoke` and `expose` within the isolate. */
const PRELUDE = `
  const exposed = {}
  const options = ${JSON.stringify(COPIES)}
  const sallyport = {
    expose: functions => void Object.assign(exposed, functions),
    invoke: (name, args) => host.apply(undefined, [name, args], options),
  }
`

export async function loadIsolatedVm(code: HostCode): Promise<PluginHost> {
  const vm = createRequire(import.meta.url)(findIsolatedVm()!) as IsolatedVm
  const functions = code.functions as unknown as Record<string, (args: unknown) => unknown>
  return {
    start: async () => {
      const isolate = new vm.Isolate({ memoryLimit: MEMORY_LIMIT_MIB })
      const context = await isolate.createContext()
      await context.global.set('host', new vm.Reference(async (name: string, args: unknown) => functions[name]!(args)))
      const script = await isolate.compileScript(PRELUDE + readFileSync(SCRIPT, 'utf8'))
      await script.run(context)
      const request: Plugin['request'] = (name, args) =>
        context.evalClosure(`return exposed.${name}($0).then(() => null)`, [args], COPIES)
      const end = (settled: Promise<unknown>): Promise<unknown> => {
        isolate.dispose()
        return settled
      }
      return { request, end }
    },
  }
}
