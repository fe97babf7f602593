// The commands of @tauri-apps/plugin-opener, and `open` of @tauri-apps/plugin-shell. The host opens what the scope allows.
import type { CommandContext, Plugin } from '@sallyport/core'
import { checkOptions, FUNCTION, getPathScopeOptions, PathScope, toCanonical } from '@sallyport/paths/internal'
import { parseForeignUrl } from '@sallyport/paths/internal/addresses'
import { Glob } from '@sallyport/paths/internal/glob'
import { resolve } from 'node:path'
import { createPlugin, getEntries, getOptionalText, getText, invalidArg } from '../shared/plugin.js'
import { askHost, type HostRequest } from './ask.js'

/** The calling frontend, and the program that it asks for. */
export interface OpenRequest extends HostRequest {
  /** The kind of target. */
  readonly kind: 'url' | 'path'
  /** The program; `undefined`: the default of the desktop. */
  readonly with: string | undefined
}

/** Functions of the host for `opener`. Without one its commands are refused. */
export interface OpenerOptions {
  /**
   * Opens a URL, or the canonical path of a file. Pass it to a program as one argument, never through a shell.
   *
   * @example open: url => void execFile('xdg-open', [url])
   */
  open?(target: string, request: OpenRequest): unknown
  /** Shows files in a file manager. Tauri gives this command no scope, so the paths can be any. */
  reveal?(paths: readonly string[], request: HostRequest): unknown
}

/** Options of `shell`. */
export interface ShellOptions {
  /** Opens a URL. Without it the command is refused. */
  open?(target: string, request: OpenRequest): unknown
}

const MAX_URL = 8192
const MAX_PATH = 4096
const MAX_PROGRAM = 1024
const MAX_REVEALED = 64

/**
 * Returns Tauri's plugin `opener`. Its scope has entries `{ url, app? }` and `{ path, app? }`. Schemes other than http, https, mailto and
 * tel need an entry that begins with the scheme.
 */
export function opener(options: OpenerOptions = {}): Plugin<'opener'> {
  const { open, reveal } = checkOptions('opener()', options, { open: FUNCTION, reveal: FUNCTION })
  const scopeOptions = getPathScopeOptions()
  return createPlugin('opener', {
    checkScope: value => void parseEntry(value),
    commands: {
      open_url: async (args, ctx) => {
        const program = getOptionalText(args, 'with', MAX_PROGRAM)
        const text = getText(args, 'url', MAX_URL)
        const url = open && normalizeUrl(text)
        if (open && !(url !== undefined && isUrlAllowed(url, program, ctx.scope))) {
          throw new Error(`Not allowed to open url ${text}${withProgram(program)}`)
        }
        await askHost('opener({ open })', ctx, toHostFunction(open, 'url', program), [url ?? text])
      },
      open_path: async (args, ctx) => {
        const program = getOptionalText(args, 'with', MAX_PROGRAM)
        const path = getText(args, 'path', MAX_PATH)
        if (path.includes('\0')) throw invalidArg('path', 'expected a path')
        const canonical = toCanonical(resolve(path))
        if (open && !getPaths(program, ctx).includes(canonical, resolve(path))) {
          throw new Error(`Not allowed to open path ${path}${withProgram(program)}`)
        }
        await askHost('opener({ open })', ctx, toHostFunction(open, 'path', program), [canonical])
      },
      reveal_item_in_dir: async (args, ctx) => {
        // Older guests send one path.
        const paths = args['paths'] ?? [args['path']]
        if (!Array.isArray(paths) || paths.length > MAX_REVEALED)
          throw invalidArg('paths', 'expected an array of paths')
        const texts = paths.map(path => getText({ path }, 'path', MAX_PATH))
        if (texts.some(path => path.includes('\0'))) throw invalidArg('paths', 'expected an array of paths')
        await askHost('opener({ reveal })', ctx, reveal, [texts])
      },
    },
  })

  /** Returns the entries that are paths for this program. */
  function getPaths(program: string | undefined, { scope, app }: CommandContext): PathScope {
    const select = (values: readonly unknown[], isDeny: boolean): unknown[] =>
      values.map(parseEntry).filter(entry => entry.path !== undefined && hasProgram(entry, program, isDeny))
    const { allow, deny } = getEntries(scope)
    return new PathScope({ allow: select(allow, false), deny: select(deny, true) }, app.path, scopeOptions)
  }
}

const toHostFunction = (
  open: OpenerOptions['open'],
  kind: OpenRequest['kind'],
  program: string | undefined,
): ((target: string, request: HostRequest) => unknown) | undefined =>
  open && ((target, request) => open(target, { ...request, kind, with: program }))

const withProgram = (program: string | undefined): string => (program === undefined ? '' : ` with ${program}`)

interface OpenerEntry {
  readonly url?: string
  readonly path?: string
  /** `undefined`: only the default program; true: any; false: none. */
  readonly app: string | boolean | undefined
}

/** @throws {Error} for a value that is not an entry */
function parseEntry(value: unknown): OpenerEntry {
  const { url, path, app }: Record<string, unknown> = Object(value)
  const isEntry = (typeof url === 'string') !== (typeof path === 'string')
  if (isEntry && (app === undefined || typeof app === 'string' || typeof app === 'boolean')) {
    if (typeof url === 'string') Glob.parseText(url)
    return value as OpenerEntry
  }
  throw new Error(`opener takes entries { url, app? } and { path, app? }, got ${JSON.stringify(value)}`)
}

/** A deny without a program denies every one. */
const hasProgram = ({ app }: OpenerEntry, program: string | undefined, isDeny: boolean): boolean =>
  app === true || (app === undefined ? isDeny || program === undefined : app !== false && app === program)

/** Returns the URL as it is compared and opened, or `undefined` for a URL that hides its host. */
function normalizeUrl(text: string): string | undefined {
  const url = parseForeignUrl(text)
  if (!url || url.username !== '' || url.password !== '') return undefined
  if (url.hostname.endsWith('.')) url.hostname = url.hostname.replace(/\.+$/, '')
  // `mailto:` keeps characters with which a command line could end an argument.
  return url.href.replaceAll(/[\s"<>\\^`{|}]/g, encodeURIComponent)
}

function isUrlAllowed(url: string, program: string | undefined, scope: CommandContext['scope']): boolean {
  const scheme = url.slice(0, url.indexOf(':') + 1)
  const covers = (value: unknown, isDeny: boolean): boolean => {
    const entry = parseEntry(value)
    if (entry.url === undefined || !hasProgram(entry, program, isDeny)) return false
    if (!isDeny && !OPEN_SCHEMES.includes(scheme) && !entry.url.startsWith(scheme)) return false
    const glob = Glob.parseText(entry.url)
    return glob.matchesText(url) || (isDeny && glob.matchesText(url, true))
  }
  const { allow, deny } = getEntries(scope)
  return !deny.some(value => covers(value, true)) && allow.some(value => covers(value, false))
}

/** Schemes that a wildcard covers. */
const OPEN_SCHEMES: readonly string[] = ['http:', 'https:', 'mailto:', 'tel:']

/** Tauri's default. */
const SHELL_OPEN = '^((mailto:\\w+)|(tel:\\w+)|(https?://\\w+)).+'

const NO_PROGRAMS =
  'shell() of @sallyport/tauri-plugins starts no programs. Define a command in your core that does what this program is for.'

/** Tauri's list. */
const SHELL_PROGRAMS = new Set([
  ...['open', 'start', 'xdg-open', 'gio', 'gnome-open', 'kde-open', 'wslview'],
  ...['firefox', 'chrome', 'google chrome', 'chromium', 'safari'],
])

/**
 * Returns the command `open` of Tauri's plugin `shell`, which older apps use instead of `opener`. `plugins.shell.open` in the bus's
 * configuration is false, true, or a regular expression for the whole text. Programs cannot be started.
 */
export function shell(options: ShellOptions = {}): Plugin<'shell'> {
  const { open } = checkOptions('shell()', options, { open: FUNCTION })
  const refuse = (): never => {
    throw new Error(NO_PROGRAMS)
  }
  return createPlugin('shell', {
    setup: (app, { config }) => void app.manage(ShellRule, new ShellRule(config)),
    commands: {
      open: async (args, ctx) => {
        const program = getOptionalText(args, 'with', MAX_PROGRAM)
        // The command has no scope for programs.
        if (program !== undefined && !SHELL_PROGRAMS.has(program.toLowerCase()))
          throw new Error(`unknown program ${program}`)
        const text = getText(args, 'path', MAX_URL)
        const target = open ? ctx.state(ShellRule).check(text) : text
        await askHost('shell({ open })', ctx, toHostFunction(open, 'url', program), [target])
      },
      spawn: refuse,
      execute: refuse,
      stdin_write: refuse,
      kill: refuse,
    },
  })
}

class ShellRule {
  readonly #pattern: RegExp | undefined
  readonly #isDefault: boolean

  /** @throws {Error} if the configuration's `open` has another type, or is not a regular expression */
  constructor(config: unknown) {
    const { open = true }: { open?: unknown } = Object(config)
    if (typeof open !== 'string' && typeof open !== 'boolean')
      throw new Error('plugins.shell.open must be a boolean or a regular expression')
    this.#isDefault = open === true
    if (open !== false) this.#pattern = new RegExp(typeof open === 'string' ? `^(?:${open})$` : SHELL_OPEN, 'u')
  }

  /** Returns what is opened. @throws {Error} Tauri's text */
  check(text: string): string {
    const url = this.#isDefault ? normalizeUrl(text) : text
    // oxlint-disable-next-line no-control-regex
    if (url !== undefined && this.#pattern?.test(url) && !/[\0-\x1f\x7f]/.test(url)) return url
    const pattern = this.#pattern?.source ?? 'false'
    throw new Error(`Scoped command argument at position 0 was found, but failed regex validation ${pattern}`)
  }
}
