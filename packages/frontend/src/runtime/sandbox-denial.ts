// Explains errors of Node's permission model. Node suggests a flag, which a frontend doesn't have: its host has options.
import type { FrontendSandbox } from '@sallyport/protocol/internal/contract'
import { describeThrown, isBusError } from '@sallyport/protocol/internal/errors'
import { basename, dirname, isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readDenial } from './deno.js'

let sandboxKind: 'permission' | 'process' | undefined
let isNetClosed = false
let fileOptions: NonNullable<FrontendSandbox['files']>

/** @param wall - `closesNet` is true if a wall around the process closes the network: errors of Node don't say so */
export function setSandboxKind(
  kind: typeof sandboxKind,
  { closesNet = false, files = ['read', 'write'] }: Pick<FrontendSandbox, 'closesNet' | 'files'> = {},
): void {
  sandboxKind = kind
  isNetClosed = closesNet
  fileOptions = files
}

const MAX_DEPTH = 4

/** Returns what the sandbox denied and the option that allows it, if the error or one of its causes is a denial in a sandbox. */
export function explainSandboxDenial(error: unknown): string | undefined {
  if (sandboxKind === undefined) return undefined
  // Packages throw an error of their own, whose remedy is for a failed installation.
  const addon = error instanceof Error ? findDeniedAddon(error) : undefined
  if (addon !== undefined && (error as SystemError).code !== 'ERR_DLOPEN_DISABLED') {
    const [summary] = describeThrown(error).split(/\.\s|\n/)
    return `${summary}: ${createAddonText(addon)}`
  }
  let cause = error
  // An error of Sallyport's own has its remedy.
  for (let depth = 0; depth < MAX_DEPTH && cause instanceof Error && !isBusError(cause); depth++) {
    const denial = describeDenial(cause)
    if (denial !== undefined) return depth === 0 ? denial : `${describeThrown(error).replace(/\.$/, '')}: ${denial}`
    cause = getCause(cause)
  }
  return undefined
}

/** Returns an error that is a member of this one: its cause, or what libraries have in place of one. */
function getCause(error: Error): unknown {
  const { cause, errors, detail }: { cause?: unknown; errors?: unknown; detail?: unknown } = error
  return Array.isArray(errors) ? errors[0] : (cause ?? detail)
}

type SystemError = Error & {
  [member in 'code' | 'permission' | 'resource' | 'syscall' | 'erroredSysCall']?: unknown
}

function describeDenial(error: SystemError): string | undefined {
  const { code, message } = error
  // The second is that of node-fetch.
  const syscall = error.syscall ?? error.erroredSysCall
  if (code === 'ERR_DLOPEN_DISABLED') return createAddonText(findDeniedAddon(error))
  const isMissing = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND'
  const hidden = isMissing ? (getHiddenModule(message) ?? findHiddenPackage(message)) : undefined
  if (hidden !== undefined) return createReadText(hidden)
  if (isNetClosed && isNetError(code, syscall, message)) return createNetText()
  const denial = readDenial(message) ?? (code === 'ERR_ACCESS_DENIED' ? error : undefined)
  if (!denial) return code === 'EPERM' && syscall === 'watch' ? WATCH_TEXT : undefined
  const { permission, resource } = denial
  // Errors of sockets and of DNS don't contain the permission.
  if (permission === 'Net' || (denial === error && typeof syscall === 'string')) return createNetText()
  // The functions that the sandbox itself replaces throw errors without a permission, which are clear.
  if (typeof permission !== 'string') return undefined
  if (permission === 'FileSystemRead') return createReadText(resource)
  if (permission === 'FileSystemWrite') return createWriteText(resource)
  const target = typeof resource === 'string' && resource !== '' ? resource : undefined
  if (permission === 'ffi') return createAddonText(target)
  return createText(target === undefined ? permission : `${permission} of ${target}`)
}

function createReadText(resource: unknown): string {
  if (typeof resource !== 'string' || resource === '') return createText('FileSystemRead')
  const target = `FileSystemRead of ${resource}`
  if (!isAbsolute(resource)) {
    const place = `new URL(${JSON.stringify(resource)}, import.meta.url)`
    return `The sandbox denied ${target}, a path that is relative to the working directory. Use ${place} for a file next to the module.`
  }
  // Libraries resolve the directory before they write there.
  if (resource === process.getBuiltinModule('node:os').tmpdir()) return createWriteText(resource)
  if (!fileOptions.includes('read'))
    return `The sandbox denied ${target}. Its launcher decides what it reads there: add it to the --allow-fs-read of "launch".`
  // Behind a link that leads out of the grants, Node asks for it first.
  const wanted = basename(resource) === 'package.json' ? dirname(resource) : resource
  const text = createText(target, `read: [${JSON.stringify(wanted)}]`)
  return `${text} A directory in this list allows all files in it.`
}

function createWriteText(resource: unknown): string {
  if (typeof resource !== 'string' || resource === '') return createText('FileSystemWrite')
  const temporary = process.getBuiltinModule('node:os').tmpdir()
  const isTemporary = resource === temporary || resource.startsWith(join(temporary, '/'))
  const target = `${isTemporary ? 'writes to' : 'FileSystemWrite of'} ${resource}`
  // A worker cannot write in any directory.
  if (sandboxKind === 'permission')
    return isTemporary ? `The sandbox denied ${target}. ${ONLY_IN_WALL}` : createText(target)
  const hasOwnDirectory = isAbsolute(resource) && resource !== temporary && dirname(resource) !== temporary
  const hasWrite = fileOptions.includes('write')
  const options = [
    ...(isTemporary && fileOptions.includes('tmp') ? ['tmp: 16'] : []),
    ...(hasWrite && hasOwnDirectory ? [`write: [${JSON.stringify(dirname(resource))}]`] : []),
  ]
  if (options.length > 0 || !isTemporary || !hasWrite) return createText(target, options.join(', or ') || undefined)
  return `${createText(target, 'write: [directory]')} Use a directory of its own: others write to ${temporary}, too.`
}

const ONLY_IN_WALL =
  "A frontend has temporary files only in a wall, on Linux: sandbox: { kind: 'process', wall: 'required', tmp: 16 }. " +
  'Otherwise call a command that writes the file.'

const createAddonText = (file: string | undefined): string =>
  `The sandbox denied ${file === undefined ? 'a native addon' : `the native addon ${file}`}. Use a package in JavaScript or ` +
  "WebAssembly, call a command that uses the addon, or trust the frontend with all rights of the host: sandbox: 'none'."

const createNetText = (): string => createText('the network', 'net: true')

/** A wall denies `inotify`, of which the kernel gives each user few. */
const WATCH_TEXT =
  'The sandbox denied fs.watch. Poll instead, with fs.watchFile or an option such as usePolling of chokidar.'

type Permission = { has(scope: string, reference: string): boolean }

/** Returns the path of a module that was not found and that the sandbox may not read: a wall hides it. */
function getHiddenModule(message: string): string | undefined {
  const path = /^Cannot find module '([^']+)'/.exec(message)?.[1]
  const { permission }: { permission?: Permission } = process
  return path !== undefined && isAbsolute(path) && permission?.has('fs.read', path) === false ? path : undefined
}

const NO_ROUTE = ['EACCES', 'ENETUNREACH', 'EHOSTUNREACH', 'EADDRNOTAVAIL']
const CONNECTING = ['connect', 'bind', 'listen', 'send']

/** Sockets are denied or have no route, nothing listens at this host, and names can't be looked up. */
const isNetError = (code: unknown, syscall: unknown, message: string): boolean =>
  (NO_ROUTE.includes(String(code)) && CONNECTING.includes(String(syscall))) ||
  // Not at the path of a socket.
  (syscall === 'connect' && /\bconnect ECONNREFUSED [^/\s]+:\d+$/.test(message)) ||
  (syscall === 'getaddrinfo' && (code === 'EAI_AGAIN' || code === 'ENOTFOUND' || code === 'EPERM')) ||
  ((code === 'ECONNREFUSED' || code === 'UNKNOWN') && String(syscall).startsWith('query'))

const createText = (target: string, option?: string): string =>
  `The sandbox denied ${target}. ` +
  (option === undefined
    ? "Call a command that does it, or trust the frontend with all rights of the host: sandbox: 'none'."
    : `Allow it: add ${option} to the frontend's sandbox, { kind: '${sandboxKind}', … }.`)

/** Node's texts for `import` and for `require`. */
const MISSING = [
  /^Cannot find package '([^']+)' imported from (\S.*)/,
  /^Cannot find module '([^']+)'\nRequire stack:\n- (.+)/,
]

/** Returns the directory of a package that was not found, if a `node_modules` has a link to it that leads nowhere: a wall hides it. */
export function findHiddenPackage(message: string): string | undefined {
  const [, name, importer] = MISSING.map(text => text.exec(message)).find(Boolean) ?? []
  if (name === undefined || importer === undefined) return undefined
  const [scope = '', rest = ''] = name.split('/')
  const packageName = name.startsWith('@') ? `${scope}/${rest}` : scope
  const file = importer.startsWith('file:') ? fileURLToPath(importer) : importer
  for (let directory = dirname(file); ; directory = dirname(directory)) {
    const target = getMissingTarget(join(directory, 'node_modules', packageName))
    if (target !== undefined || dirname(directory) === directory) return target
  }
}

function getMissingTarget(link: string): string | undefined {
  const { existsSync, readlinkSync } = process.getBuiltinModule('node:fs')
  try {
    const target = resolve(dirname(link), readlinkSync(link))
    return existsSync(target) ? undefined : target
  } catch {
    // There is no such link, or it may not be read.
    return undefined
  }
}

/** Addons by the part of a path that the package which required them has: `node_modules/sharp/`. */
const files = new Map<string, string>()
const errors = new WeakMap<Error, string>()
const MAX_PACKAGES = 64

interface Module {
  readonly filename?: unknown
  readonly parent?: Module | null
}

type LoadAddon = (module: Module, file: string, ...rest: number[]) => void

/** Records each native addon that is refused from now on. Packages catch that error, and throw another that says nothing of it. */
export function watchAddons(): void {
  process.dlopen = watch(process.dlopen.bind(process)) as typeof process.dlopen
  // Deno's loader does not call it.
  const { _extensions: loaders } = process.getBuiltinModule('node:module') as unknown as {
    _extensions: { '.node': LoadAddon }
  }
  loaders['.node'] = watch(loaders['.node'])
}

const watch =
  (load: LoadAddon): LoadAddon =>
  (module, file, ...rest) => {
    try {
      load(module, file, ...rest)
    } catch (error) {
      const { code, name } = error as NodeJS.ErrnoException
      if (code === 'ERR_DLOPEN_DISABLED' || name === 'NotCapable') {
        errors.set(error as Error, file)
        // The package of the addon for this platform, and the package that requires it.
        for (const requirer of [module.parent, module.parent?.parent]) {
          const place = getPackagePath(String(requirer?.filename))
          if (place !== undefined && files.size < MAX_PACKAGES) files.set(place, file)
        }
      }
      throw error
    }
  }

/** Returns the addon of a denial, or that of a package which has thrown the error itself. */
export function findDeniedAddon(error: Error): string | undefined {
  const file = errors.get(error)
  if (file !== undefined || files.size === 0) return file
  const stack = String(error.stack).replaceAll('\\', '/')
  for (const [place, addon] of files) if (stack.includes(place)) return addon
  return undefined
}

const getPackagePath = (file: string): string | undefined =>
  /.*(\/node_modules\/(?:@[^/]+\/)?[^/]+\/)/.exec(file.replaceAll('\\', '/'))?.[1]
