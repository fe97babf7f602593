// One call of a command of fs: its arguments, the paths that its caller may use, and its error texts.
import { type CommandContext, isBusError } from '@sallyport/core'
import {
  hasDescriptors,
  isObject,
  PathChangedError,
  type PathGrants,
  type PathScope,
  type PathScopeOptions,
  resolveLinks,
  toAbsolutePath,
  toCanonical,
} from '@sallyport/paths/internal'
import { mkdir } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path'
import { type Args, getLife, isInteger } from '../shared/plugin.js'
import { toIoText } from '../shared/io.js'
import { getPathScope, type OwnDirectories, type PathLock } from './paths.js'
import type { LabelCount, LabelSlots } from '../shared/slots.js'

export interface FsState {
  readonly scopes: PathScopeOptions
  readonly own: OwnDirectories
  readonly maxFileBytes: number
  readonly lock: PathLock
  /** Calls of a frontend at a time, which limits the files and memory that they use. */
  readonly calls: LabelSlots
  readonly exclusiveCalls: LabelSlots
  readonly largeReads: LabelSlots
  readonly files: LabelCount
  readonly watchers: LabelCount
  readonly watchedDirectories: LabelCount
}

export interface Located {
  /** As the caller wrote it, for error texts: a relative path must not tell where the host is. */
  readonly shown: string
  /** Absolute, with links. */
  readonly original: string
  /** Without links, and in the caller's scope. */
  readonly path: string
}

export interface LocateOptions {
  /** @default the argument `path` */
  readonly path?: unknown
  /** @default the argument `options` */
  readonly options?: Args
  /** If true, no other call uses the path, or one above or below it, at the same time. */
  readonly exclusive?: boolean
  /** If true, `path` is the link itself. Its target is in the caller's scope too. */
  readonly isEntry?: boolean
}

type UnlocatedPath = readonly [argument: string, path: unknown, baseDir: unknown]
type LocatedPaths<Paths> = { readonly [Index in keyof Paths]: Located }

export type FsHandlers = Readonly<Record<string, (call: FsCall) => unknown>>

/** The longest part of a path in an error text. */
const MAX_SHOWN = 4096

export class FsCall {
  readonly #command: string
  readonly #grants: PathGrants
  /** The directory of the caller's label, if a permission for this command names it. */
  readonly #own: string | undefined

  constructor(
    command: string,
    readonly args: Args,
    readonly ctx: CommandContext,
    readonly state: FsState,
    grants: PathGrants,
  ) {
    this.#command = command
    this.#grants = grants
    this.#own = state.own.get(ctx)
  }

  /**
   * Resolves and checks a path, and uses it before a call of this plugin can move it. Long work belongs after it, on what was opened: others
   * wait for the path. Errors become Tauri's texts after `failed`.
   */
  withPath<T>(
    failed: string,
    use: (located: Located) => Promise<T>,
    { path = this.args['path'], options = this.options, exclusive = false, isEntry = false }: LocateOptions = {},
  ): Promise<T> {
    return this.withPaths(
      [['path', path, options['baseDir']]],
      shown => `${failed}: ${shown[0]}`,
      ([located]) => use(located),
      { exclusive, isEntry },
    )
  }

  async withPaths<T, const Paths extends readonly UnlocatedPath[]>(
    paths: Paths,
    toText: (shown: readonly string[]) => string,
    use: (located: LocatedPaths<Paths>) => Promise<T>,
    { exclusive = true, isEntry = false }: Pick<LocateOptions, 'exclusive' | 'isEntry'> = {},
  ): Promise<T> {
    const shown = paths.map(([, path]) => (typeof path === 'string' ? path.slice(0, MAX_SHOWN) : typeof path))
    try {
      if (this.#own !== undefined) await mkdir(this.#own, { recursive: true, mode: 0o700 })
      const originals = paths.map(([argument, path, baseDir]) => this.#absolute(path, baseDir, argument))
      const run = (): Promise<T> => this.#locked(originals, shown, exclusive, isEntry, use)
      if (!exclusive) return await run()
      return await this.state.exclusiveCalls.run(this.ctx.label, this.ctx.signal, run)
    } catch (error) {
      throw this.toRejection(error, `${toText(shown)} with error: `, shown)
    }
  }

  async #locked<T, Paths extends readonly UnlocatedPath[]>(
    originals: readonly string[],
    shown: readonly string[],
    exclusive: boolean,
    isEntry: boolean,
    use: (located: LocatedPaths<Paths>) => Promise<T>,
  ): Promise<T> {
    const locate = async (): Promise<Located[]> => {
      const located: Located[] = []
      for (const [at, original] of originals.entries()) {
        located.push(await this.#locate(original, shown[at]!, isEntry))
      }
      return located
    }
    const located = await locate()
    const paths = located.map(({ path }) => path)
    return this.state.lock.run(paths, exclusive, async hasWaited => {
      this.ctx.signal.throwIfAborted()
      // A link can lead elsewhere after a move. With descriptors, what is opened is verified without a second look.
      if (hasWaited || !hasDescriptors) {
        const again = await locate()
        if (again.some(({ path }, at) => path !== paths[at])) throw new PathChangedError()
      }
      return use(located as LocatedPaths<Paths>)
    })
  }

  #absolute(path: unknown, baseDir: unknown, argument: string): string {
    const { rules } = this.state.scopes
    try {
      return toAbsolutePath(path, {
        resolveBase: plain => {
          if (baseDir != null) return this.ctx.app.path.resolve(baseDir as number, plain)
          return this.#own === undefined || isAbsolute(plain) ? plain : join(this.#own, plain)
        },
        namesShare: share => this.scope.namesShare(share),
        rules,
      })
    } catch (error) {
      if (error instanceof TypeError && !('code' in error)) throw this.invalid(argument, error.message)
      throw error
    }
  }

  async #locate(original: string, shown: string, isEntry: boolean): Promise<Located> {
    const path = await resolveLinks(original, this.state.scopes.rules)
    if (!this.isPermitted(path) || this.scope.isDenied(original)) throw this.forbidden(shown)
    if (!isEntry || original === dirname(original)) return { shown, original, path }
    const entry = join(await resolveLinks(dirname(original), this.state.scopes.rules), basename(original))
    if (entry !== path && !this.isPermitted(entry)) throw this.forbidden(shown)
    return { shown, original, path: entry }
  }

  /** True if the caller's scope includes the canonical path. @param hidden - see `PathScope.isAllowed` */
  isPermitted(path: string, hidden = false, scope: PathScope = this.scope): boolean {
    if (scope.isDenied(path)) return false
    return scope.isAllowed(path, hidden) || this.#grants.includes(getLife(this.ctx), path, this.state.scopes.rules)
  }

  /**
   * Refuses an `open` for writing, which Tauri's permissions for reading include, unless the caller may also write there. `write` has no path
   * of its own, so that a scope is needed only in addition to other permissions for writing.
   */
  requireWritable({ shown, original, path }: Located): void {
    const { ctx } = this
    if (!ctx.permits('plugin:fs|write')) throw this.forbidden(shown, 'write')
    const scope = ctx.getScope('plugin:fs|write')
    const { app, label } = ctx
    const writable = getPathScope({ scope, app }, this.state.scopes, this.state.own.get({ app, label, scope }))
    if (writable.isDenied(original) || writable.isDenied(path)) throw this.forbidden(shown, 'write')
    const isByName = scope.allow.length + scope.global.allow.length === 0 && !ctx.permits('plugin:fs|write_file')
    if (!isByName && !this.isPermitted(path, false, writable)) throw this.forbidden(shown, 'write')
  }

  get scope(): PathScope {
    return getPathScope(this.ctx, this.state.scopes, this.#own)
  }

  /** Returns a path as the caller can write it: in its own directory without that, which is the host's to know. */
  toShown(path: string): string {
    if (this.#own === undefined) return path
    const below = relative(toCanonical(this.#own), path)
    return below === '..' || below.startsWith(`..${sep}`) || isAbsolute(below) ? path : below || '.'
  }

  /** Returns Tauri's text, which names the permission except in production. */
  forbidden(path: string, command: string = this.#command): string {
    const text = `forbidden path: ${path}`
    if (process.env['NODE_ENV'] === 'production') return text
    const permission = `allow-${command.replaceAll('_', '-')}`
    return `${text}, maybe it is not allowed on the scope for \`${permission}\` permission in your capability file`
  }

  /** Returns Tauri's text for an argument of a wrong type. */
  invalid(argument: string, text: string): string {
    return `invalid args \`${argument}\` for command \`${this.#command}\`: ${text}`
  }

  async rejecting<T>(failed: string, paths: readonly string[], run: () => Promise<T>): Promise<T> {
    try {
      return await run()
    } catch (error) {
      throw this.toRejection(error, failed, paths)
    }
  }

  toRejection(error: unknown, failed: string, paths: readonly string[] = []): unknown {
    if (typeof error === 'string' || isBusError(error) || this.ctx.signal.aborted) return error
    return error instanceof PathChangedError ? this.forbidden(paths.join(', ')) : failed + toIoText(error)
  }

  get options(): Args {
    const options = this.args['options'] ?? {}
    if (isObject(options)) return options
    throw this.invalid('options', 'invalid type: expected an object')
  }

  boolean(name: string, byDefault = false, options: Args = this.options): boolean {
    const value = options[name] ?? byDefault
    if (typeof value !== 'boolean') throw this.invalid('options', `invalid type of ${name}: expected a boolean`)
    return value
  }

  integer(value: unknown, name: string, min = 0, max: number = Number.MAX_SAFE_INTEGER): number {
    if (isInteger(value, min, max)) return value
    throw this.invalid(name, `invalid value: expected an integer from ${min} to ${max}`)
  }

  mode(byDefault: number, options: Args = this.options): number {
    return this.integer(options['mode'] ?? byDefault, 'mode', 0, 0xffff_ffff) & 0o777
  }
}
