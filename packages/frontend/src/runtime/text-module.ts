// Evaluates a module that the host passes as text, without a file (docs/adr/0033-code-as-text.md). It is imported before the sandbox is
// entered.
import { isBuiltin } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import vm from 'node:vm'
import type { ModuleText } from '@sallyport/protocol/internal/contract'
import { BusError } from '@sallyport/protocol/internal/errors'
import { findBodyError, isTypeScriptName, stripTypes } from '@sallyport/protocol/internal/util'
import { getHidden } from './check-arguments.js'

const { Script, SourceTextModule, SyntheticModule, constants } = vm
// They take bytecode, and the same code from a file has none of them. The sandbox updates the exports of `node:vm`.
for (const name of ['Module', 'SourceTextModule', 'SyntheticModule']) Reflect.deleteProperty(vm, name)
// A frontend that replaces methods of built-in objects is given instances.
for (const prototype of getModulePrototypes()) Reflect.deleteProperty(prototype, 'constructor')

type Namespace = Readonly<Record<string, unknown>>
type Import = (specifier: string, attributes?: object) => Promise<Namespace>

const OWN_PACKAGE = '@sallyport/frontend'
const HAS_SCHEME = /^[a-z][a-z0-9+.-]*:/i

/**
 * Resolves with the module's exports once it has been evaluated.
 *
 * @param url - the base of its imports: a file in the directory that the host names; without a directory, any other URL
 * @param loadFunctions - returns what a static import of this package has
 * @param importOwn - imports this package
 * @throws {BusError} LoadFailed, with line and column, for a syntax error; whatever the module throws
 */
export async function loadTextModule(
  url: string,
  text: ModuleText,
  loadFunctions: () => Promise<Namespace>,
  importOwn: () => Promise<Namespace>,
): Promise<object> {
  const importModule = createImport(url, text.name)
  const module = compile(url, text, (specifier, attributes) =>
    specifier === OWN_PACKAGE ? importOwn() : importModule(specifier, attributes),
  )
  const linked = new Map<Namespace, vm.Module>()
  let last: Promise<unknown> = Promise.resolve()
  await module.link((specifier, _referrer, extra) => {
    // One after the other, as modules evaluate their imports.
    const imported = last.then(() =>
      specifier === OWN_PACKAGE ? loadFunctions() : importModule(specifier, extra.attributes),
    )
    last = imported
    return imported.then(namespace => {
      if (!linked.has(namespace)) linked.set(namespace, toModule(namespace))
      return linked.get(namespace)!
    })
  })
  await module.evaluate()
  return module.namespace
}

function createImport(url: string, name: string): Import {
  const hasDirectory = url.startsWith('file:')
  const importByNode: Import = new Script('(specifier, attributes) => import(specifier, { with: attributes })', {
    filename: hasDirectory ? url : import.meta.url,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  }).runInThisContext()
  return async (specifier, attributes = {}) => {
    // Node resolves a package's own name in the package itself.
    if (specifier.startsWith(`${OWN_PACKAGE}/`)) {
      return await import(/* webpackIgnore: true */ /* @vite-ignore */ specifier)
    }
    if (hasDirectory || isBuiltin(specifier) || HAS_SCHEME.test(specifier)) return importByNode(specifier, attributes)
    const problem = `cannot import ${JSON.stringify(specifier)}: it has no directory. Set the option "directory".`
    throw new BusError('InvalidParams', `Frontend module ${name} ${problem}`)
  }
}

function compile(url: string, { text: source, name, wrapper }: ModuleText, importModule: Import): vm.SourceTextModule {
  const text = toJavaScript(source, name, wrapper !== undefined)
  const isFile = url.startsWith('file:')
  const { before = '', after = '' } = wrapper ?? {}
  if (wrapper) checkBody(text, name)
  try {
    return new SourceTextModule(`${before}${text}${after}`, {
      identifier: isFile ? url : name,
      columnOffset: -before.length,
      initializeImportMeta: meta => {
        const filename = isFile ? fileURLToPath(url) : undefined
        Object.assign(meta, { url, ...(filename !== undefined && { filename, dirname: dirname(filename) }) })
      },
      importModuleDynamically: (specifier, _module, attributes) =>
        importModule(specifier, attributes) as unknown as vm.Module,
    })
  } catch (error) {
    const { message } = error as Error
    throw createSyntaxError(name, getPosition(toScript(text), message), message, error)
  }
}

/** Returns the prototypes of the module classes, and that of Node's native modules, each of which leads to a constructor. */
function getModulePrototypes(): object[] {
  const module = new SyntheticModule([], () => {})
  const native = getHidden(module, 'kWrap')
  const base: { prototype: object } = Object.getPrototypeOf(SyntheticModule)
  return [SourceTextModule.prototype, SyntheticModule.prototype, base.prototype, Object.getPrototypeOf(native)]
}

const toModule = (namespace: Namespace): vm.Module => {
  const names = Object.keys(namespace)
  return new SyntheticModule(names, function () {
    for (const name of names) this.setExport(name, namespace[name])
  })
}

/** @throws {BusError} LoadFailed for code whose types cannot be removed */
function toJavaScript(text: string, name: string, isBody: boolean): string {
  if (!isTypeScriptName(name)) return text
  const stripped = stripTypes(text, isBody)
  if (stripped.mistake) throw createSyntaxError(name, stripped.mistake.position, stripped.mistake.message)
  return stripped.code
}

/** @throws {BusError} LoadFailed for a syntax error in the body of an async function */
function checkBody(text: string, name: string): void {
  const { position, message } = findBodyError(text) ?? {}
  if (position === undefined) return
  const remedy = message!.startsWith('Cannot use import statement') ? '. Use `await import(…)` in a function' : ''
  throw createSyntaxError(name, position, `${message}${remedy}`)
}

const createSyntaxError = (name: string, position: string, message: string, cause?: unknown): BusError =>
  new BusError('LoadFailed', `Frontend module ${name}${position}: syntax error: ${message}`, { cause })

/** Returns `:line:column` of a syntax error, or an empty string if the body of a function has not the same error. */
function getPosition(body: string, message: string): string {
  const found = findBodyError(body)
  return found?.message === message ? found.position : ''
}

const IMPORT = /^[ \t]*import\b(?!\s*[(.])[^'"]*(['"])[^'"\n]*\1/gm
const EXPORT = /^([ \t]*)export(?=\s+(?:async|class|const|default|function|let|var)\b)(\s+default\b)?/gm

/**
 * Removes import and export, which only a module can have, without moving other code. For positions only: Node has the position of a
 * syntax error in a script, but not of one in a module.
 */
const toScript = (text: string): string =>
  text
    .replace(IMPORT, found => found.replaceAll(/[^\n]/g, ' '))
    .replace(EXPORT, (found, indent: string, isDefault?: string) =>
      isDefault === undefined
        ? found.replaceAll(/[^\n]/g, ' ')
        : `${indent}void${' '.repeat(found.length - indent.length - 4)}`,
    )
    .replaceAll('import.meta', 'import_meta')
