// Plugins in QuickJS, compiled to WebAssembly, in the host's thread. Values cross as JSON text, bytes as ArrayBuffers. The host's functions
// are synchronous, which is the fastest way: the thread is busy until the plugin waits for nothing.
import { readFileSync } from 'node:fs'
import { type LoadPluginHost, type Plugin, SCRIPT, SPIN_MS } from './plugin-host.js'

/** `invoke` and `expose` within QuickJS. */
const PRELUDE = `
  const exposed = {}
  const sallyport = {
    expose: functions => void Object.assign(exposed, functions),
    invoke: async (name, args) =>
      args instanceof Uint8Array ? hostBytes(name, args.buffer) : JSON.parse(hostJson(name, JSON.stringify(args))),
  }
`

export const loadQuickJs: LoadPluginHost = async code => {
  const { newQuickJSWASMModuleFromVariant: newModule } = await import('quickjs-emscripten-core')
  const quickJs = await newModule(import('@jitl/quickjs-wasmfile-release-sync'))
  const functions = code.functions as unknown as Record<string, (args: unknown) => unknown>
  return {
    start: async () => {
      const context = quickJs.newContext()
      const { runtime } = context
      type Handle = ReturnType<typeof context.newString>
      const define = (name: string, call: (command: string, args: Handle) => Handle): void =>
        context
          .newFunction(name, (command, args) => call(context.getString(command), args))
          .consume(fn => context.setProp(context.global, name, fn))
      define('hostJson', (command, args) =>
        context.newString(JSON.stringify(functions[command]!(JSON.parse(context.getString(args))))),
      )
      define('hostBytes', (command, args) => {
        const bytes = context.getArrayBuffer(args).consume(view => view.value.slice())
        return context.newArrayBuffer((functions[command]!(bytes) as Uint8Array).buffer)
      })
      const evaluate = (text: string): Handle => context.unwrapResult(context.evalCode(text))
      evaluate(PRELUDE + readFileSync(SCRIPT, 'utf8')).dispose()
      runtime.executePendingJobs().dispose()

      const request: Plugin['request'] = async (name, args) => {
        const result = evaluate(`exposed.${name}(${JSON.stringify(args)}).then(() => null)`)
        const settled = result.consume(promise => context.resolvePromise(promise))
        runtime.executePendingJobs().dispose()
        context.unwrapResult(await settled).dispose()
      }
      const endLoop = async (): Promise<number> => {
        code.reset()
        const getDeadline = (): number => (code.arrivals[0] ?? Infinity) + SPIN_MS
        runtime.setInterruptHandler(() => performance.now() >= getDeadline())
        evaluate('void exposed.spin()').dispose()
        runtime.executePendingJobs().dispose()
        context.dispose()
        return performance.now() - getDeadline()
      }
      return { request, endLoop }
    },
  }
}
