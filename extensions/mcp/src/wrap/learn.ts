// `--learn`: what a server asked for and did not get, as the options that would allow it. It allows nothing by itself. Hosts come from the proxy, of
// every program; paths and variables from Node.js alone, whose code says them: a server can lie, so a person reads the line.
import { existsSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import type { Readable, Writable } from 'node:stream'
import type { ProgramOptions } from '@sallyport/process/internal/launchers'
import { toPlainText } from '@sallyport/protocol/internal/util'
import { LineReader } from '../open/messages.js'
import { quote } from './quote.js'

const MAX_DENIED = 200
/** Bytes of a line of standard error. A path is shorter. */
const MAX_LINE = 65_536
/** A host that nobody has: with it there is a proxy, which denies the others. */
const NO_HOST = 'learn.invalid'

/** Runs in the server. Functions of `node:fs` throw, reject or call back with an error, which has the path. */
const getPreload = (token: string): string => `
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
const seen = new Set()
const tell = (kind, name) => {
  const line = ${JSON.stringify(token)} + JSON.stringify([kind, name]) + '\\n'
  if (seen.size < ${MAX_DENIED} && !seen.has(line)) fs.writeSync(2, line)
  seen.add(line)
}
const note = error => {
  if (/^(ENOENT|EACCES|EPERM|EROFS)$/.test(error?.code) && error.path) tell(error.code === 'ENOENT' ? 'read' : 'write', String(error.path))
}
const watch = (target, run) => function (...args) {
  const done = args.at(-1)
  if (typeof done === 'function') args[args.length - 1] = function (error, ...rest) { note(error); return done.call(this, error, ...rest) }
  try {
    const result = run.apply(this, args)
    if (target === fs.promises) result?.catch?.(note)
    return result
  } catch (error) {
    note(error)
    throw error
  }
}
for (const target of [fs, fs.promises])
  for (const name of ['access', 'lstat', 'mkdir', 'open', 'readFile', 'readdir', 'realpath', 'stat', 'writeFile'].flatMap(each => [each, each + 'Sync']))
    if (target[name]) target[name] = Object.assign(watch(target, target[name]), target[name])
syncBuiltinESMExports()
const env = process.env
process.env = new Proxy(env, { get(_, name) { if (typeof name === 'string' && !(name in env)) tell('env', name); return env[name] } })
`

export class Learner {
  readonly #token: string = `sallyport-${randomUUID()} `
  readonly #denied = new Set<string>()

  /** Adds to the rights of a server what lets it say what it did not get. */
  watch<Rights extends Pick<ProgramOptions, 'net' | 'env'>>(rights: Rights): Rights {
    const preload = `--import=data:text/javascript,${encodeURIComponent(getPreload(this.#token))}`
    return { ...rights, net: rights.net || [NO_HOST], env: { ...rights.env, NODE_OPTIONS: preload } }
  }

  /** Passes standard error on as plain text, without what was learned from it: the server must not write over what a person pastes. */
  read(source: Readable, target: Writable): void {
    const lines = new LineReader(MAX_LINE)
    const take = (chunk: Buffer): void => {
      try {
        for (const each of lines.read(chunk)) {
          const line = each.toString()
          if (line.startsWith(this.#token)) this.#add(line.slice(this.#token.length))
          else target.write(`${toPlainText(line)}\n`)
        }
      } catch {
        // It writes no lines: what it is denied then is not learned.
        source.off('data', take).on('data', (part: Buffer) => target.write(toPlainText(part.toString())))
      }
    }
    source.on('data', take)
  }

  addHost(host: string): void {
    this.#deny(`--net ${quote(host)}`)
  }

  describe(): string {
    if (this.#denied.size === 0) return 'Nothing was denied.'
    return `These options would have allowed what was denied. Read them before you paste them:\n${[...this.#denied].join(' ')}`
  }

  #add(text: string): void {
    const { kind, name } = parseReport(text)
    if (kind === undefined || name === undefined) return
    const isThere = kind === 'env' ? process.env[name] !== undefined : name.startsWith('/') && existsSync(name)
    if (isThere) this.#deny(`--${kind} ${quote(name)}`)
  }

  #deny(option: string): void {
    if (this.#denied.size < MAX_DENIED) this.#denied.add(option)
  }
}

/** The server can have written the line itself. */
function parseReport(text: string): { kind?: string | undefined; name?: string } {
  try {
    const [, kind, name] = /^\["(read|write|env)",(".*")\]$/.exec(text) ?? []
    return { kind, name: String(JSON.parse(name!)) }
  } catch {
    return {}
  }
}
