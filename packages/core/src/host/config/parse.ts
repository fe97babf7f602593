// Reads one file of a configuration: JSON, JSON5 or TOML, as its name says. A `.json` file may be JSON5 as well: Tauri
// takes comments in one, and so do editors.
import { BusError } from '@sallyport/protocol'
import JSON5 from 'json5'
import { isUtf8 } from 'node:buffer'
import { readFile } from 'node:fs/promises'
import { TomlError, parse as parseToml } from 'smol-toml'

/** What is wrong, counted from 1. */
interface Mistake {
  line: number
  column: number
  text: string
}

/** @throws BusError `InvalidParams`, with the file, line and column of what can't be parsed. */
export async function readConfigFile(path: string): Promise<unknown> {
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new BusError('InvalidParams', `createBus: ${path} can't be read: ${cause.code}`, { cause })
  })
  if (!isUtf8(bytes)) throw new BusError('InvalidParams', `${path}: not UTF-8`)
  const text = bytes.toString()
  const isToml = path.endsWith('.toml')
  try {
    return isToml ? parseToml(text) : parseJson(text)
  } catch (cause) {
    const { line, column, text: why } = isToml ? tomlMistake(cause) : json5Mistake(cause)
    const format = isToml ? 'TOML' : path.endsWith('5') ? 'JSON5' : 'JSON'
    throw new BusError('InvalidParams', `${path}:${line}:${column}: not ${format}: ${why}`, { cause })
  }
}

/** JSON's own parser is many times faster, and the manifests of an app's plugins are large; it doesn't say a line. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return JSON5.parse(text)
  }
}

function json5Mistake(error: unknown): Mistake {
  const { lineNumber, columnNumber, message } = error as { lineNumber: number; columnNumber: number; message: string }
  return { line: lineNumber, column: Math.max(1, columnNumber), text: message.replace(/^JSON5: | at \d+:\d+$/g, '') }
}

function tomlMistake(error: unknown): Mistake {
  if (!(error instanceof TomlError)) throw error
  const text = error.message.split('\n', 1)[0]!.replace('Invalid TOML document: ', '')
  return { line: error.line, column: error.column, text }
}
