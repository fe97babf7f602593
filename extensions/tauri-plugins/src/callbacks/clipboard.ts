// The commands of @tauri-apps/plugin-clipboard-manager.
import type { Plugin } from '@sallyport/core'
import { createPlugin } from '../definition/create-plugin.js'
import { type Args, getOptionalText, getText, invalidArg, toBytes } from '../definition/args.js'
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
    commands: {
      read_text: async (_args, ctx) => {
        const text = await askHost(name('readText'), ctx, readText, [])
        if (typeof text !== 'string') throw new Error(`The host's ${name('readText')} did not return a string.`)
        return text
      },
      write_text: async (args, ctx) => {
        const text = getText(args, 'text', MAX_TEXT)
        await askHost(name('writeText'), ctx, writeText, [text])
      },
      write_html: async (args, ctx) => {
        const html = getText(args, 'html', MAX_TEXT)
        // The second name is that of older guests.
        const altText = getOptionalText(args, 'altText', MAX_TEXT) ?? getOptionalText(args, 'altHtml', MAX_TEXT)
        await askHost(name('writeHtml'), ctx, writeHtml, [html, altText])
      },
      write_image: async (args, ctx) => {
        await askHost(name('writeImage'), ctx, writeImage, [getImage(args)])
      },
      read_image: () => {
        throw new Error('API not supported on the current platform')
      },
      clear: async (_args, ctx) => {
        await askHost(name('clear'), ctx, clear, [])
      },
    },
  })
}

/** The guest sends bytes as numbers. Numbers of images and paths need a desktop. */
function getImage({ image }: Args): Uint8Array {
  const bytes = toBytes(image)
  if (!bytes) throw invalidArg('image', 'expected the bytes of an encoded image')
  if (bytes.length > MAX_IMAGE_BYTES) throw invalidArg('image', `more than ${MAX_IMAGE_BYTES} bytes`)
  return Uint8Array.from(bytes)
}
