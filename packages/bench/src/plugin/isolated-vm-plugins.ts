// Plugins in isolated-vm, which has native code and an install script: it is measured only if it is installed. Its heap and its thread are
// apart from the host's, in one process.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { findPackage } from '../run/machine.js'
import { endLoopAfter, type LoadPluginHost, type Plugin, SCRIPT } from './plugin-host.js'

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
export function lacksIsolatedVm(): string | undefined {
  const path = findIsolatedVm()
  if (path === undefined) return 'isolated-vm is not installed'
  const { status } = spawnSync(process.execPath, [
    ...NODE_OPTIONS,
    '--eval',
    `require(${JSON.stringify(path)}).Isolate.name`,
  ])
  return status === 0 ? undefined : `the installed isolated-vm does not load with Node ${process.version}`
}

/** Returns the installed version for the title of the arm. */
export function readIsolatedVmVersion(): string {
  const path = findIsolatedVm()
  return path === undefined
    ? ''
    : (createRequire(import.meta.url)(`${path}/package.json`) as { version: string }).version
}

/** `invoke` and `expose` within the isolate. */
const PRELUDE = `
  const exposed = {}
  const options = { arguments: { copy: true }, result: { promise: true, copy: true } }
  const sallyport = {
    expose: functions => void Object.assign(exposed, functions),
    invoke: (name, args) => host.apply(undefined, [name, args], options),
  }
`

export const loadIsolatedVm: LoadPluginHost = async code => {
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
        context.evalClosure(`return exposed.${name}($0).then(() => null)`, [args], {
          arguments: { copy: true },
          result: { promise: true, copy: true },
        })
      const end = (settled: Promise<unknown>): Promise<unknown> => {
        isolate.dispose()
        return settled
      }
      return { request, endLoop: () => endLoopAfter(code, request, end) }
    },
  }
}
