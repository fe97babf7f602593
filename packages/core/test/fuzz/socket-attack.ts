// Runs a case of a hostile process with direct sockets to core, or to its gate and from core. Returns what broke.
import { canListenBelow, StreamLink } from '@sallyport/protocol/internal/link'
import { tmpdir } from 'node:os'
import { MessageChannel } from 'node:worker_threads'
import type { Case } from './cases.js'
import type { Fuzzed } from './core-target.js'
import { openDirectEnd, writeStream, type DirectEnd } from './direct-process.js'
import { openDirectGate } from './gate-target.js'
import { findEnd, type FuzzStream } from './stream.js'
import { overheard, PROBE, Wire } from './wire.js'

/** Bytes that a thread can hold for a stream, in addition to ten times those that have arrived: a header promises up to 256 MiB. */
const MAX_HELD = 16 * 2 ** 20

interface Run {
  readonly wire: Wire
  readonly ends: readonly DirectEnd[]
  /** Returns the reason of the violation that ended the session. */
  fault(): string | undefined
  /** Returns the problem if a command ran that could not. */
  ranToo(): string | undefined
}

export async function attackBySocket(fuzzCase: Case, stream: FuzzStream, fuzzed: Fuzzed): Promise<string | undefined> {
  // Elsewhere a relay forwards the frames.
  if (!canListenBelow(tmpdir())) return undefined
  fuzzed.takeFault()
  const run = await (fuzzCase.target === 'gate' ? openForGate(fuzzed) : openForCore(fuzzCase, fuzzed))
  const { wire, ends } = run
  const { socket } = ends[0]!
  const before = process.memoryUsage().arrayBuffers
  await writeStream(socket, stream)
  let problem: string | undefined
  if (stream.end === 'stays') problem = await probe(run, stream)
  else if (stream.end === 'ends') socket.end()
  else for (const end of ends) end.socket.destroy()
  const held = process.memoryUsage().arrayBuffers - before
  if (held > MAX_HELD + 10 * stream.bytes.length)
    problem ??= `${held} bytes are held for a stream of ${stream.bytes.length}`
  const honest = await fuzzed.checkHonest()
  if (stream.end === 'stays') wire.link.close()
  let released = 0
  for (const end of ends)
    void end.released.then(() => {
      released++
      wire.wake()
    })
  if (problem === undefined && !(await wire.until(() => released === ends.length)))
    problem = 'a socket is still open after its process has ended'
  wire.link.close()
  return honest ?? wire.problem ?? overheard(wire) ?? run.ranToo() ?? problem ?? wire.unreadable
}

/** A session must answer if the stream is between two frames, and must end for a reason behind an invalid header. */
async function probe({ wire, fault }: Run, { bytes }: FuzzStream): Promise<string | undefined> {
  const request = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: PROBE, method: 'ok' }))
  const header = Buffer.from([request.length, 0, 0, 0, 1])
  wire.ask({ id: PROBE, method: 'ok' })
  const isAligned = findEnd(bytes) === 'between'
  const end = findEnd(Buffer.concat([bytes, header, request]))
  if (isAligned && !(await wire.settles(PROBE))) return 'neither answered nor closed'
  if (end === 'invalid' && !(await wire.until(() => wire.closed))) return 'an invalid header did not close the session'
  return wire.closed && fault() === undefined ? 'a session was closed without a reason' : undefined
}

async function openForCore({ target, codec }: Case, fuzzed: Fuzzed): Promise<Run> {
  const key = target === 'core' ? undefined : new MessageChannel()
  const { bad } = fuzzed.ran
  const end = await openDirectEnd()
  fuzzed.attach('bad', codec, { kind: 'direct', id: end.id }, key?.port1)
  return {
    wire: new Wire(new StreamLink(end.socket)),
    ends: [end],
    fault: () => fuzzed.takeFault(),
    ranToo() {
      key?.port2.close()
      return key && fuzzed.ran.bad !== bad ? 'a command ran that no record holds' : undefined
    },
  }
}

async function openForGate(fuzzed: Fuzzed): Promise<Run> {
  const { bad } = fuzzed.ran
  const { wire, ends, fault, passed } = await openDirectGate(fuzzed)
  return {
    wire,
    ends,
    fault: () => fault() ?? fuzzed.takeFault(),
    ranToo: () => (fuzzed.ran.bad - bad > passed() ? 'a command ran more often than the hook let it' : undefined),
  }
}
