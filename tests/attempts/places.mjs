// The places that an attempt runs in: what each promises, and how a host runs code in it. Each is started as its documentation shows, with
// its own limits of memory and time, and nothing is granted but its own directory.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const require = createRequire(import.meta.url)
const [MAJOR] = process.versions.node.split('.').map(Number)
const LIMIT_MS = 1000
/** With its start, after which it is killed; in a container by `timeout`. */
const PROCESS_LIMIT_MS = 15_000
const MEMORY_MIB = 128
const NETWORK = ['connect', 'fetch', 'fetch-by-a-redirect', 'ask-a-name-server', 'connect-to-an-abstract-socket']
/** What is open before Node.js 25, which can close the network. */
const OPEN_NETWORK = MAJOR < 25 ? NETWORK : []

/** Writes the code as a module, and returns its path. */
function writeModule(home, code, end) {
  const file = `${home}/guest.mjs`
  writeFileSync(file, `${code}\nconst importer = name => import(name)\n${end}\n`)
  return file
}
const EXPOSES = `
  import { expose } from '@sallyport/frontend'
  expose({ attempt: () => inside(way, facts, undefined, importer) })`
const PRINTS = 'console.log(await inside(way, facts, undefined, importer))'

/** `open` are the attempts that the documentation calls open, `getSandbox` gets the launchers. */
const ofBus = (name, promises, getSandbox, open = [], hasHosts = false) => ({
  ...{ name, promises, open, hasHosts, isOurs: true },
  async run({ code, home, grants, facts }) {
    const { createBus, defineCore } = await import('@sallyport/core')
    const file = writeModule(home, code, EXPOSES)
    const sandbox = await getSandbox(await import('@sallyport/core/launchers'))
    if (hasHosts && grants === 'host') sandbox.net = [`127.0.0.1:${facts.redirect}`]
    const bus = await createBus({ core: defineCore({}), log: false })
    try {
      const supervision = { restart: 'temporary', heartbeat: LIMIT_MS * 2 }
      await bus.open('guest', pathToFileURL(file), { sandbox, supervision })
      return await bus.call('guest', 'attempt').catch(({ message }) => JSON.stringify({ error: message }))
    } finally {
      await bus.close()
    }
  },
})

const inProcess = async (getWall, more) => ({ kind: 'process', memory: 160, wall: await getWall, ...more })
/** A launcher whose process has all that Node's permission model would deny, as after a fault in it. */
async function withoutPermissions(launcher) {
  const outer = await launcher
  const all = ['--allow-fs-read=*', '--allow-fs-write=*', '--allow-child-process', '--allow-worker']
  const more = [...(MAJOR > 20 ? ['--allow-addons'] : []), ...(MAJOR > 24 ? ['--allow-net', '--allow-inspector'] : [])]
  const launch = (command, args, info) =>
    outer.launch(command, [...all, ...more, ...args.filter(each => !each.startsWith('--allow-'))], info)
  return { ...outer, launch }
}

/** `getCommand` gets a file and the job, and returns a program with its arguments, which prints the answer. */
const ofProgram = (name, promises, getCommand) => ({
  ...{ name, promises },
  async run(job) {
    const [command, ...args] = getCommand(writeModule(job.home, job.code, PRINTS), job)
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let errors = ''
    child.stderr.on('data', chunk => (errors = (errors + chunk).slice(-300)))
    const timer = setTimeout(() => child.kill('SIGKILL'), PROCESS_LIMIT_MS)
    const answered = once(createInterface(child.stdout), 'line')
    const [line] = await Promise.race([answered, once(child, 'close')])
    clearTimeout(timer)
    child.kill('SIGKILL')
    return typeof line === 'string' ? line : JSON.stringify({ error: errors || 'it was ended' })
  },
})

/** `evaluate` gets a script whose value is a promise of the answer, and `tell`, a function as hosts give. */
const ofScript = (name, promises, evaluate, more = {}) => ({
  ...{ name, promises, ...more },
  run: ({ code }) =>
    evaluate(`(() => { ${code}\n return inside(way, facts, tell, undefined) })()`, value => `told ${value}`),
})

async function runInWorker({ code, home }) {
  const { Worker } = await import('node:worker_threads')
  const end = `import { parentPort } from 'node:worker_threads'
    parentPort.postMessage(await inside(way, facts, undefined, importer))`
  const resourceLimits = { maxOldGenerationSizeMb: MEMORY_MIB }
  const worker = new Worker(pathToFileURL(writeModule(home, code, end)), { resourceLimits })
  const timer = setTimeout(() => void worker.terminate(), PROCESS_LIMIT_MS)
  try {
    return await new Promise((resolve, reject) => {
      worker.on('message', resolve).on('error', reject)
      worker.on('exit', status => reject(new Error(`it exited with code ${status}`)))
    })
  } catch ({ message }) {
    return JSON.stringify({ error: message })
  } finally {
    clearTimeout(timer)
    await worker.terminate()
  }
}

async function runInVm(script, tell) {
  const { createContext, runInContext } = await import('node:vm')
  return runInContext(script, createContext({ tell }), { timeout: LIMIT_MS })
}

async function runInSes(script, tell) {
  await import('ses')
  globalThis.lockdown()
  return new Compartment({ tell: globalThis.harden(tell) }).evaluate(script)
}

async function runInQuickJs(script, tell) {
  const { newQuickJSWASMModuleFromVariant, shouldInterruptAfterDeadline } = await import('quickjs-emscripten-core')
  const { default: variant } = await import('@jitl/quickjs-wasmfile-release-sync')
  const runtime = (await newQuickJSWASMModuleFromVariant(variant)).newRuntime()
  runtime.setMemoryLimit(MEMORY_MIB * 2 ** 20)
  runtime.setInterruptHandler(shouldInterruptAfterDeadline(Date.now() + LIMIT_MS))
  const context = runtime.newContext()
  let answer
  const functions = { tell, done: value => (answer = value) }
  for (const [name, run] of Object.entries(functions)) {
    const handle = context.newFunction(name, value => context.newString(String(run(context.dump(value)))))
    context.setProp(context.global, name, handle)
  }
  context.unwrapResult(context.evalCode(`${script}.then(done)`))
  context.unwrapResult(runtime.executePendingJobs())
  return answer ?? JSON.stringify({ error: 'it waits for what nothing settles' })
}

async function runInIsolate(script, tell) {
  const { default: ivm } = await import('isolated-vm')
  const isolate = new ivm.Isolate({ memoryLimit: MEMORY_MIB })
  const context = await isolate.createContext()
  await context.global.set('tell', new ivm.Callback(tell))
  const answer = await context.eval(script, { promise: true, copy: true, timeout: LIMIT_MS })
  isolate.dispose()
  return answer
}

/** The program of the package `deno` for this system. */
function findDeno() {
  const file = require.resolve('deno/package.json')
  for (const name of Object.keys(require(file).optionalDependencies)) {
    try {
      return `${dirname(createRequire(file).resolve(`${name}/package.json`))}/deno`
    } catch {
      // Of another system.
    }
  }
  throw new Error('Deno has no program for this system')
}

const permissionFlag = MAJOR < 23 ? '--experimental-permission' : '--permission'
const image = `node:${process.versions.node}-slim`
const CONTAINER = ['--rm', '--network=none', '--read-only', `--memory=${MEMORY_MIB}m`]

export const places = [
  ofBus("`'none'`", 'no', () => 'none', ['*']),
  ofBus("`'permission'`", 'no: against mistakes; hostile code can end the host', () => ({ kind: 'permission' }), [
    ...OPEN_NETWORK,
    'read-by-a-descriptor',
    'take-memory',
  ]),
  ofBus("`'quickjs'`", 'yes, but for faults in QuickJS and WebAssembly', () => ({
    kind: 'quickjs',
    memory: 32,
    time: LIMIT_MS,
  })),
  ofBus(
    "`'quickjs'`, process, wall",
    'yes, by the kernel too',
    () => ({ kind: 'quickjs', process: true, wall: 'required', memory: 32, time: LIMIT_MS }),
    [],
    true,
  ),
  ofBus("`'process'`, no wall", 'no: one fault in Node.js opens it', () => inProcess('none'), OPEN_NETWORK),
  ofBus("`'process'`, bubblewrap", 'yes, by the kernel', l => inProcess(l.bubblewrap()), [], true),
  ofBus(
    "`'process'`, bubblewrap, after a fault in Node.js",
    'yes, by the kernel alone',
    l => inProcess(withoutPermissions(l.bubblewrap())),
    // Its own file; what that does is for the wall to hold.
    ['load-native-code'],
    true,
  ),
  ofBus("`'process'`, landlock", 'yes, by the kernel', l => inProcess(l.landlock()), [], true),
  ofBus(
    "`'process'`, Deno",
    'no: one fault in Deno opens it, and it reads below any `node_modules`',
    l => inProcess(l.deno()),
    ['read-below-node-modules'],
    true,
  ),
  ofBus(
    "`'process'`, Deno in bubblewrap",
    'yes, by the kernel',
    async l => inProcess(l.deno({ inside: await l.bubblewrap() })),
    [],
    true,
  ),
  ofBus("`'process'`, Docker", 'yes, by the kernel', l => inProcess(l.docker()), [], true),
  ofProgram('`node --permission`', 'no: against mistakes, says its documentation', (file, { home }) => [
    process.execPath,
    ...[permissionFlag, `--allow-fs-read=${home}/*`, file],
  ]),
  { name: '`Worker` of `node:worker_threads`', promises: 'no: it has all rights of the process', run: runInWorker },
  ofScript('`node:vm`', 'no: not a security mechanism, says its documentation', runInVm),
  ofScript('SES', 'yes for rights; memory and time are not its subject', runInSes),
  ofScript('quickjs-emscripten', 'yes, but for faults in QuickJS and WebAssembly', runInQuickJs),
  ofScript('isolated-vm', 'yes, but for faults in V8; it advises a process around it', runInIsolate, {
    flags: ['--no-node-snapshot'],
  }),
  ofProgram('Deno', 'yes, but for faults in Deno', (file, { home, grants, facts }) => [
    findDeno(),
    ...['run', '--no-prompt', `--allow-read=${home}`],
    ...(grants === 'host' ? [`--allow-net=127.0.0.1:${facts.redirect}`] : []),
    file,
  ]),
  ofProgram('Docker', 'yes, by the kernel', (file, { home }) => [
    'docker',
    ...['run', ...CONTAINER, `--volume=${home}:${home}:ro`, image, 'timeout', '15', 'node', file],
  ]),
]
