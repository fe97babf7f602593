// What a thread prints. Functions of `node:fs` for the descriptors 1 and 2 of a thread. The process's descriptors with these numbers are the host's, so the
// functions write to the thread's own streams, as `process.stdout` does. Loggers write by number (pino, Emscripten).

import { StringDecoder } from 'node:string_decoder'
import type { Output } from '@sallyport/protocol/internal/contract'

type Callable = (...args: unknown[]) => unknown
type Done = (error: Error | null, ...results: unknown[]) => void

/** Lets the thread's own streams print to its output, until the thread exits. */
export function takeStreams(output: Output): void {
  for (const name of ['stdout', 'stderr'] as const) {
    const decoder = new StringDecoder()
    const write = (chunk: string | Buffer, encoding: BufferEncoding, done: () => void): void => {
      const isText = typeof chunk === 'string'
      if (isText && /^utf-?8$/i.test(encoding)) output.print(name, chunk)
      else output.print(name, decoder.write(isText ? Buffer.from(chunk, encoding) : chunk))
      done()
    }
    Object.assign(process[name], { _write: write, _writev: undefined })
  }
  process.once('exit', () => output.flush())
}

/** Returns the functions by their names in `node:fs`. The first argument of each is 1 or 2. */
export function createThreadOutput(): Readonly<Record<string, Callable>> {
  // Saved, because a frontend can replace these methods with functions that call `node:fs`.
  const writers = [process.stdout, process.stderr].map(stream => stream.write.bind(stream))
  const write = (fd: unknown, bytes: Uint8Array, done?: (error?: Error | null) => void): number => {
    writers[(fd as number) - 1]!(bytes, done)
    return bytes.length
  }
  const writeText = (fd: unknown, value: unknown, options: unknown): number =>
    write(fd, toBytes(value, [undefined, typeof options === 'string' ? options : Object(options).encoding]))
  return {
    writeSync: (fd, value, ...rest) => write(fd, toBytes(value, rest)),
    write(fd, value, ...rest) {
      const done = takeCallback(rest)
      const bytes = toBytes(value, rest)
      write(fd, bytes, error => done(error ?? null, bytes.length, value))
    },
    writevSync: (fd, views) => write(fd, joinBytes(views)),
    writev(fd, views, ...rest) {
      const done = takeCallback(rest)
      const bytes = joinBytes(views)
      write(fd, bytes, error => done(error ?? null, bytes.length, views))
    },
    ...Object.fromEntries(
      ['writeFile', 'appendFile'].flatMap<[string, Callable]>(name => [
        [`${name}Sync`, (fd, value, options) => void writeText(fd, value, options)],
        [
          name,
          (fd, value, ...rest) => {
            const done = takeCallback(rest)
            writeText(fd, value, rest[0])
            process.nextTick(done, null)
          },
        ],
      ]),
    ),
  }
}

function takeCallback(args: unknown[]): Done {
  const done = args.pop()
  if (typeof done !== 'function') throw createTypeError('The "cb" argument must be of type function')
  return done as Done
}

const joinBytes = (views: unknown): Uint8Array => Buffer.concat((views as unknown[]).map(view => toBytes(view, [])))

/** Returns a copy of what `fs.write(fd, value, ...rest)` writes: `value, offset, length`, `value, { offset, length }`, or `text, position, encoding`. */
function toBytes(value: unknown, [first, second]: readonly unknown[]): Uint8Array {
  if (typeof value === 'string') return Buffer.from(value, (second ?? 'utf8') as BufferEncoding)
  if (!ArrayBuffer.isView(value))
    throw createTypeError('The "buffer" argument must be a string, Buffer, TypedArray or DataView')
  const range = typeof first === 'object' && first !== null ? first : { offset: first, length: second }
  const { offset, length }: { offset?: unknown; length?: unknown } = range
  const start = typeof offset === 'number' ? offset : 0
  const end = typeof length === 'number' ? start + length : value.byteLength
  if (!(start >= 0 && start <= end && end <= value.byteLength)) {
    throw Object.assign(new RangeError('The value of "offset" or "length" is out of range'), {
      code: 'ERR_OUT_OF_RANGE',
    })
  }
  return Uint8Array.from(new Uint8Array(value.buffer, value.byteOffset, value.byteLength).subarray(start, end))
}

const createTypeError = (message: string): TypeError =>
  Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_TYPE' })
