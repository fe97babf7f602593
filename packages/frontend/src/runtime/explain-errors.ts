// What an error of a frontend's code says to its developer: the host gets its text, and may see paths.
import {
  BusError,
  CommandError,
  describeThrown,
  explainTypeScript,
  isBusError,
  toBusError,
} from '@sallyport/protocol/internal/errors'
import { readStack } from '@sallyport/protocol/internal/util'
import { explainMissing } from './deno.js'
import { explainSandboxDenial } from './sandbox-denial.js'

/** Names the option that allows what the sandbox denied: the error is for the host, which may see paths. */
export function toErrorOfFunction(name: string, thrown: unknown): BusError {
  try {
    nameMissingPackage(thrown)
    const denial = explainSandboxDenial(thrown)
    if (denial !== undefined) return new CommandError('ERR_ACCESS_DENIED', denial, { cause: thrown })
    // An error of a command has neither the system call nor the path.
    if (isSystemError(thrown)) {
      const { message } = thrown
      return new BusError('CommandFailed', message, { data: message, cause: thrown })
    }
  } catch {
    // A proxy or a getter threw.
  }
  return toBusError(name, thrown)
}

/** True for an error of the operating system about a file or a connection, such as `ENOENT: no such file or directory, open '/a'`. */
const isSystemError = (thrown: unknown): thrown is Error =>
  thrown instanceof Error &&
  typeof (thrown as NodeJS.ErrnoException).errno === 'number' &&
  typeof (thrown as NodeJS.ErrnoException).syscall === 'string' &&
  !('spawnargs' in thrown)

export function explainLoadError(error: unknown, isSandboxed: boolean): unknown {
  nameMissingPackage(error)
  const explained = explainTypeScript(error)
  if (explained !== error) return explained
  if (isOwnPackageMissing(error)) {
    setMessage(error, `${error.message.split('\n')[0]}. ${MISSING_PACKAGE_REMEDY}`)
    // All frames are those of Node's loader.
    error.stack = `Error: ${error.message}`
  }
  const remedy = getImportRemedy(error)
  if (remedy !== undefined) return new BusError('LoadFailed', remedy, { cause: error })
  // Code as text has the same reason. The host finds the place by the stack of the cause.
  if (isSyntaxError(error)) return new BusError('LoadFailed', error.message, { cause: error })
  if (!isSandboxed) return toLoadError(error)
  const denial = isUnknownExtension(error)
    ? `${error.message}: the host's loaders are not available in a frontend's sandbox`
    : explainSandboxDenial(error)
  return denial === undefined ? toLoadError(error) : new BusError('LoadFailed', denial, { cause: error })
}

function toLoadError(error: unknown): BusError {
  if (isBusError(error)) return error
  const failure = new BusError('LoadFailed', describeThrown(error))
  if (readStack(error) !== '') failure.stack = readStack(error)
  return failure
}

/** True if the module cannot be parsed or linked, and false for a `SyntaxError` that its code throws, such as that of `JSON.parse`. */
function isSyntaxError(error: unknown): error is SyntaxError {
  if (!(error instanceof SyntaxError)) return false
  const [frame] = /^ +at .+/m.exec(readStack(error)) ?? []
  return frame === undefined || frame.includes('node:internal/modules/')
}

function nameMissingPackage(error: unknown): void {
  const text = error instanceof Error ? explainMissing(error.message) : undefined
  if (text !== undefined) setMessage(error as Error, text)
}

const MISSING_PACKAGE_REMEDY =
  'Import it in the main module alone, an ES module, move all below a directory whose node_modules has @sallyport/frontend, or bundle that package'

/** True if a module outside of any `node_modules` imports or requires Sallyport. */
const isOwnPackageMissing = (error: unknown): error is Error =>
  error instanceof Error && /^Cannot find (?:package|module) '@sallyport\/frontend[/']/.test(error.message)

/** Returns what to import instead, if a module imports what belongs into the host or into another library's worker. */
function getImportRemedy(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { message } = error
  const { code, resource } = error as { code?: unknown; resource?: unknown }
  // A wall hides the file.
  const file = code === 'ERR_ACCESS_DENIED' ? resource : /^Cannot find module '([^']+)'/.exec(message)?.[1]
  if (MISSING_CORE.test(message) || CORE_FILE.test(String(file)))
    return "A frontend cannot import @sallyport/core, which is for the host. Import from '@sallyport/frontend' instead"
  const [, other] = /^Cannot find (?:package|module) '(electron|comlink)'/.exec(message) ?? []
  if (other !== undefined)
    return `${message}. Instead of ${other}, use \`invoke\` and \`expose\` of @sallyport/frontend`
  if (message === 'require is not defined') return `${message} in an ES module. Use import instead`
  if (message === 'window is not defined' && /[\\/]@tauri-apps[\\/]/.test(readStack(error)))
    return `${message}. Before @tauri-apps/api, import '@sallyport/frontend/tauri'`
  return undefined
}

const MISSING_CORE = /^Cannot find (?:package|module) '@sallyport\/core[/']/
const CORE_FILE = /[\\/](?:@sallyport|packages)[\\/]core[\\/](?:dist[\\/].*|package\.json)$/

const isUnknownExtension = (error: unknown): error is Error =>
  error instanceof Error && (error as NodeJS.ErrnoException).code === 'ERR_UNKNOWN_FILE_EXTENSION'

/** Adds to an error that ends the thread what the sandbox denied, and that an `await` might be missing, before it is reported. */
export function explainUncaughtErrors(): void {
  process.prependListener('uncaughtExceptionMonitor', (error, origin) => {
    nameMissingPackage(error)
    const denial = explainSandboxDenial(error)
    if (denial !== undefined) setMessage(error, denial)
    else if (origin === 'unhandledRejection' && isBusError(error)) {
      // The host has logged how to allow what was denied.
      const [, denied] = (error.reason === 'Denied' && /^Command (\S+) not allowed by ACL/.exec(error.message)) || []
      const summary = `${error.message.split('\n')[0]} (this rejection was not caught: is an \`await\` missing?)`
      setMessage(error, denied === undefined ? summary : `Uncaught denial of ${denied}: is an \`await\` missing?`)
    } else if (origin === 'unhandledRejection' && isThrownValue(error)) {
      // Node describes an object as `#<Object>`.
      const [, value] = /with the reason "([^]*)"\.$/.exec(error.message) ?? []
      const what = value === undefined ? '' : `: ${value}`
      const remedy = 'Reject with an Error, whose stack has the file and line'
      setMessage(error, `A promise was rejected with a value that is not an Error${what}. ${remedy}`)
      error.stack = `Error: ${error.message}`
      // It is Node's for the error around the value.
      Reflect.deleteProperty(error, 'code')
    }
  })
}

/** True for the error that Node creates for a rejection with any other value. Its stack has frames of Node alone. */
const isThrownValue = (error: Error): boolean => (error as NodeJS.ErrnoException).code === 'ERR_UNHANDLED_REJECTION'

function setMessage(error: Error, message: string): void {
  const { message: before } = error
  const stack = readStack(error)
  error.message = message
  if (stack !== '') error.stack = stack.replace(before, () => message)
}
