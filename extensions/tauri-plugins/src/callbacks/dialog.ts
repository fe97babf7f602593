// The commands of @tauri-apps/plugin-dialog, and those of its older guests.
import type { CommandContext, Plugin } from '@sallyport/core'
import { checkOptions, FUNCTION, PathGrants } from '@sallyport/paths/internal'
import {
  type Args,
  createPlugin,
  getLife,
  getOptionalFlag,
  getOptionalObject,
  getOptionalText,
  getText,
  invalidArg,
} from '../shared/plugin.js'
import { resolve } from 'node:path'
import { askPerson, type HostRequest, toSafeText, withLabel } from './ask.js'

/** A message for a person. Its texts begin with the frontend's label, and are in one line. */
export interface DialogMessage {
  /** The title. */
  readonly title: string
  /** The text. */
  readonly message: string
  /** The kind of message, for its icon. */
  readonly kind: 'info' | 'warning' | 'error'
  /** One to three, the last of which is for closing the dialog. */
  readonly buttons: readonly string[]
}

/** A dialog in which a person picks files or directories. */
export interface FileDialog {
  /** Begins with the frontend's label. */
  readonly title: string
  /** Kinds of files that a person can choose from. */
  readonly filters: readonly { readonly name: string; readonly extensions: readonly string[] }[]
  /** The directory or file to begin with, as the frontend wrote it. */
  readonly defaultPath: string | undefined
}

/** A dialog in which a person picks what to open. */
export interface OpenDialog extends FileDialog {
  /** If true, several can be picked. */
  readonly multiple: boolean
  /** If true, directories are picked instead of files. */
  readonly directory: boolean
  /** If true, everything below a picked directory is granted. */
  readonly recursive: boolean
}

/** Functions of the host for `dialog`. Without one its commands are refused. */
export interface DialogOptions {
  /** Returns the pressed button, or `undefined` if the person closed the dialog. */
  message?(dialog: DialogMessage, request: HostRequest): string | undefined | Promise<string | undefined>
  /** Returns the picked paths, or null. The frontend's fs plugin may use them as long as that frontend lives, over its restarts. */
  open?(dialog: OpenDialog, request: HostRequest): Picked | Promise<Picked>
  /** Returns the picked path, or null. The frontend's fs plugin may use it as long as that frontend lives, over its restarts. */
  save?(dialog: FileDialog, request: HostRequest): string | null | Promise<string | null>
}

type Picked = string | readonly string[] | null

const MAX_TEXT = 100_000
const MAX_BUTTON = 100
const MAX_LIST = 64

/** `alert` and `confirm` over the plugin. Both are asynchronous, as in Tauri. An error is logged: no caller sees it, and an unhandled rejection ends a worker. */
const DIALOG_SCRIPT = `(() => {
  const ask = (command, message) =>
    window.__TAURI_INTERNALS__.invoke('plugin:dialog|' + command, { message: String(message ?? '') })
  const define = (name, value) => Object.defineProperty(window, name, { value, configurable: true, writable: true })
  define('alert', message => void ask('message', message).catch(error => console.error(error)))
  define('confirm', message => ask('confirm', message))
})()`

/** Returns Tauri's plugin `dialog`, with `alert` and `confirm` for frontends. A frontend can have one dialog open. */
export function dialog(options: DialogOptions = {}): Plugin<'dialog'> {
  const { message, open, save } = checkOptions('dialog()', options, {
    message: FUNCTION,
    open: FUNCTION,
    save: FUNCTION,
  })
  const showMessage = async (args: Args, ctx: CommandContext, labels: readonly string[]): Promise<number> => {
    const shown: DialogMessage = {
      title: withLabel(ctx.label, getOptionalText(args, 'title', MAX_TEXT)),
      message: withLabel(ctx.label, getText(args, 'message', MAX_TEXT)),
      kind: getKind(args),
      buttons: labels.map(label => toSafeText(label, MAX_BUTTON)),
    }
    const name = 'dialog({ message })'
    const pressed = await askPerson(name, ctx, message, [shown])
    const index = pressed === undefined || pressed === null ? labels.length - 1 : shown.buttons.indexOf(pressed)
    if (index < 0) throw new Error(`The host's ${name} did not return one of the buttons.`)
    return index
  }
  const askQuestion = (args: Args, ctx: CommandContext, ok: string, cancel: string): Promise<boolean> => {
    const getLabel = (name: string): string | undefined => getButton(args, `${name}ButtonLabel`)
    const [okLabel, cancelLabel] = (ok === 'Yes' ? ['yes', 'no'] : ['ok', 'cancel']).map(getLabel)
    const labels = [okLabel ?? ok, cancelLabel ?? cancel]
    return showMessage(args, ctx, labels).then(index => index === 0)
  }
  return createPlugin('dialog', {
    script: DIALOG_SCRIPT,
    setup: app => void app.manage(PathGrants, new PathGrants()),
    commands: {
      message: async (args, ctx) => {
        const labels = getButtons(args)
        return labels[await showMessage(args, ctx, labels)]
      },
      ask: (args, ctx) => askQuestion(args, ctx, 'Yes', 'No'),
      confirm: (args, ctx) => askQuestion(args, ctx, 'Ok', 'Cancel'),
      open: async (args, ctx) => {
        const options = getOptionalObject(args, 'options')
        const [multiple, directory] = [getOptionalFlag(options, 'multiple'), getOptionalFlag(options, 'directory')]
        const recursive = getOptionalFlag(options, 'recursive')
        const shown: OpenDialog = { ...getFileDialog(options, ctx), multiple, directory, recursive }
        const name = 'dialog({ open })'
        const picked = await askPerson(name, ctx, open, [shown])
        const paths = grant(name, picked, ctx, directory && recursive)
        return paths && (multiple ? paths : (paths[0] ?? null))
      },
      save: async (args, ctx) => {
        const shown = getFileDialog(getOptionalObject(args, 'options'), ctx)
        const name = 'dialog({ save })'
        const picked = await askPerson(name, ctx, save, [shown])
        return grant(name, picked, ctx, false)?.[0] ?? null
      },
    },
  })
}

function grant(name: string, picked: Picked | undefined, ctx: CommandContext, recursive: boolean): string[] | null {
  if (picked === null || picked === undefined) return null
  const paths = typeof picked === 'string' ? [picked] : [...picked]
  if (!paths.every(path => typeof path === 'string' && path !== '')) {
    throw new Error(`The host's ${name} did not return paths.`)
  }
  const grants = ctx.app.state(PathGrants)
  return paths.map(path => {
    const absolute = resolve(path)
    grants.grant(getLife(ctx), absolute, recursive)
    return absolute
  })
}

function getKind(args: Args): DialogMessage['kind'] {
  const kind = getOptionalText(args, 'kind', MAX_TEXT) ?? 'info'
  if (kind === 'info' || kind === 'warning' || kind === 'error') return kind
  throw invalidArg('kind', 'expected info, warning or error')
}

const BUTTONS: Readonly<Record<string, readonly string[]>> = {
  Ok: ['Ok'],
  OkCancel: ['Ok', 'Cancel'],
  YesNo: ['Yes', 'No'],
  YesNoCancel: ['Yes', 'No', 'Cancel'],
}
const CUSTOM_BUTTONS: Readonly<Record<string, number>> = { OkCustom: 1, OkCancelCustom: 2, YesNoCancelCustom: 3 }

function getButtons(args: Args): readonly string[] {
  const buttons = args['buttons'] ?? 'Ok'
  // The argument of older guests.
  if (buttons === 'Ok') return [getButton(args, 'okButtonLabel') ?? 'Ok']
  if (typeof buttons === 'string' && Object.hasOwn(BUTTONS, buttons)) return BUTTONS[buttons]!
  const [[kind, value] = ['', undefined], ...others] = Object.entries<unknown>(
    typeof buttons === 'object' ? Object(buttons) : {},
  )
  const labels = kind === 'OkCustom' ? [value] : value
  const isCustom = Object.hasOwn(CUSTOM_BUTTONS, kind) && others.length === 0 && Array.isArray(labels)
  if (!isCustom || labels.length !== CUSTOM_BUTTONS[kind]) throw invalidArg('buttons', 'unknown buttons')
  return labels.map((_, index) => getText(labels as unknown as Args, String(index), MAX_BUTTON))
}

const getButton = (args: Args, name: string): string | undefined => getOptionalText(args, name, MAX_BUTTON)

function getFileDialog(options: Args, { label }: CommandContext): FileDialog {
  const filters = getList(options, 'filters').map(filter => ({
    name: toSafeText(getText(Object(filter), 'name', MAX_TEXT)),
    extensions: getList(Object(filter), 'extensions').map(getExtension),
  }))
  const title = withLabel(label, getOptionalText(options, 'title', MAX_TEXT))
  const defaultPath = getOptionalText(options, 'defaultPath', 4096)
  if (defaultPath?.includes('\0')) throw invalidArg('defaultPath', 'expected a path')
  return { title, filters, defaultPath }
}

const getExtension = (extension: unknown): string =>
  toSafeText(getText({ extension }, 'extension', MAX_TEXT), MAX_BUTTON)

function getList(args: Args, name: string): unknown[] {
  const value = args[name] ?? []
  if (!Array.isArray(value) || value.length > MAX_LIST)
    throw invalidArg(name, `expected an array of at most ${MAX_LIST}`)
  return value
}
