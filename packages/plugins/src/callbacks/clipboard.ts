// The commands of @tauri-apps/plugin-clipboard-manager.
import type { Plugin } from '@sallyport/core'
import { createPlugin } from '../definition/create-plugin.js'
import { type Args, getOptionalText, getText, invalidArg } from '../definition/args.js'
import { getPermissionFile } from '../permissions/manifests.js'
import { askHost, type HostRequest } from './ask.js'

/** Functions of the host for `clipboardManager`. Without one its command is refused. */
export interface ClipboardManagerOptions {
  /** Returns the text of the clipboard. */
  readText?(request: HostRequest): string | Promise<string>
  /** Replaces the clipboard by a text. */
  writeText?(text: string, request: HostRequest): unknown
  /** `altText` is for programs that accept no HTML. */
  writeHtml?(html: string, altText: string | undefined, request: HostRequest): unknown
  /** Receives an encoded image, such as a PNG. */
  writeImage?(image: Uint8Array, request: HostRequest): unknown
  /** Empties the clipboard. */
  clear?(request: HostRequest): unknown
}

const MAX_TEXT = 4 * 1024 * 1024
const MAX_IMAGE_BYTES = 16 * 1024 * 1024

/** Returns Tauri's plugin `clipboard-manager`. `clipboard-manager:default` allows nothing: name the commands. Images cannot be read. */
export function clipboardManager(options: ClipboardManagerOptions = {}): Plugin<'clipboard-manager'> {
  const { readText, writeText, writeHtml, writeImage, clear } = options
  const name = (member: string): string => `clipboardManager({ ${member} })`
  return createPlugin('clipboard-manager', {
    permissions: [getPermissionFile('clipboard-manager')],
    commands: {
      read_text: async (_args, ctx) => {
        const text = await askHost(name('readText'), ctx, readText, (run, request) => run(request))
        if (typeof text !== 'string') throw new Error(`The host's ${name('readText')} did not return a string.`)
        return text
      },
      write_text: async (args, ctx) => {
        const text = getText(args, 'text', MAX_TEXT)
        await askHost(name('writeText'), ctx, writeText, (run, request) => run(text, request))
      },
      write_html: async (args, ctx) => {
        const html = getText(args, 'html', MAX_TEXT)
        // The second name is that of older guests.
        const altText = getOptionalText(args, 'altText', MAX_TEXT) ?? getOptionalText(args, 'altHtml', MAX_TEXT)
        await askHost(name('writeHtml'), ctx, writeHtml, (run, request) => run(html, altText, request))
      },
      write_image: async (args, ctx) => {
        const image = getImage(args)
        await askHost(name('writeImage'), ctx, writeImage, (run, request) => run(image, request))
      },
      read_image: () => {
        throw new Error('API not supported on the current platform')
      },
      clear: async (_args, ctx) => {
        await askHost(name('clear'), ctx, clear, (run, request) => run(request))
      },
    },
  })
}

/** The guest sends bytes as numbers. Numbers of images and paths need a desktop. */
function getImage({ image }: Args): Uint8Array {
  const isBytes = image instanceof Uint8Array || (Array.isArray(image) && image.every(isByte))
  if (!isBytes) throw invalidArg('image', 'expected the bytes of an encoded image')
  if (image.length > MAX_IMAGE_BYTES) throw invalidArg('image', `more than ${MAX_IMAGE_BYTES} bytes`)
  return Uint8Array.from(image as Iterable<number>)
}

const isByte = (value: unknown): boolean =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 255
