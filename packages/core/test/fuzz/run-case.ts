// Runs a case against its target, and returns what broke.
import { setImmediate as turn } from 'node:timers/promises'
import { MessageChannel } from 'node:worker_threads'
import { ODD_POSTS, type Case } from './cases.js'
import { openClient } from './client-target.js'
import type { Fuzzed } from './core-target.js'
import { openGate } from './gate-target.js'
import type { Random } from './random.js'
import { attackBySocket } from './socket-attack.js'
import { overheard, PROBE, type Wire } from './wire.js'

export interface Targets {
  readonly open: Fuzzed
  readonly sealed: Fuzzed
}

export async function runCase(fuzzCase: Case, targets: Targets, random: Random): Promise<string | undefined> {
  if (fuzzCase.target === 'client') return attackClient(fuzzCase)
  const fuzzed = fuzzCase.target === 'core' ? targets.open : targets.sealed
  const { forbidden } = fuzzed.ran
  const before = fuzzed.ran.bad
  const problem = await attack(fuzzCase, fuzzed, random, before)
  return (
    problem ??
    (fuzzed.ran.forbidden === forbidden ? undefined : 'a command ran that was not allowed') ??
    (fuzzed.badLines.length === 0 ? undefined : `a line of the log is not escaped: ${fuzzed.badLines.shift()}`)
  )
}

function attack(fuzzCase: Case, fuzzed: Fuzzed, random: Random, before: number): Promise<string | undefined> {
  if (fuzzCase.stream) return attackBySocket(fuzzCase, fuzzCase.stream, fuzzed)
  if (fuzzCase.target === 'gate') return attackGate(fuzzCase, fuzzed, random, before)
  return attackCore(fuzzCase, fuzzed, before)
}

async function attackCore(fuzzCase: Case, fuzzed: Fuzzed, before: number): Promise<string | undefined> {
  const key = fuzzCase.target === 'core' ? undefined : new MessageChannel()
  const wire = fuzzed.connect('bad', fuzzCase.link, fuzzCase.codec, key?.port1)
  await play(wire, fuzzCase)
  wire.ask({ id: PROBE, method: 'ok' })
  const settled = await wire.settles(PROBE)
  const honest = await fuzzed.checkHonest()
  // A message that is only for the honest frontend would arrive before this answer.
  wire.ask({ id: PROBE, method: 'ok' })
  if (settled && !isCorrupt(fuzzCase)) await wire.settles(PROBE)
  wire.link.close()
  key?.port2.close()
  if (key && fuzzed.ran.bad !== before) return 'a command ran that no record holds'
  return honest ?? wire.problem ?? overheard(wire) ?? unsettled(fuzzCase, settled, wire)
}

async function attackGate(fuzzCase: Case, fuzzed: Fuzzed, random: Random, before: number): Promise<string | undefined> {
  const run = await openGate(fuzzed, random, fuzzCase.link)
  const { wire } = run
  await play(wire, fuzzCase)
  for (const id of ['the first probe', PROBE]) {
    wire.ask({ id, method: 'ok' })
    await turn()
  }
  const settled = await wire.until(() => wire.closed || wire.has(PROBE) || run.withheld())
  const endsRightly = isCorrupt(fuzzCase) || !run.tampered() || (await wire.until(() => wire.closed))
  const honest = await fuzzed.checkHonest()
  wire.link.close()
  if (!endsRightly) return 'a record that was tampered with did not close the session'
  if (fuzzed.ran.bad - before > run.passed()) return 'a command ran more often than the hook let it'
  return honest ?? wire.problem ?? overheard(wire) ?? unsettled(fuzzCase, settled, wire)
}

async function attackClient(fuzzCase: Case): Promise<string | undefined> {
  const { wire, close } = openClient(fuzzCase.link, fuzzCase.codec)
  await play(wire, fuzzCase)
  wire.ask({ id: 777_777, method: 'f', params: {} })
  const settled = await wire.settles(777_777)
  await close()
  return wire.problem ?? unsettled(fuzzCase, settled, wire)
}

/** True if the case damages its own ring, so that requests and answers over it can be lost. */
const isCorrupt = ({ ring }: Case): boolean => ring.length > 0

function unsettled(fuzzCase: Case, settled: boolean, wire: Wire): string | undefined {
  if (isCorrupt(fuzzCase)) return undefined
  return wire.unreadable ?? (settled ? undefined : 'neither answered nor closed')
}

async function play(wire: Wire, { frames, ring, post }: Case): Promise<void> {
  const { end } = wire
  for (let i = 0; i <= frames.length; i++) {
    for (const { before, ring: which, word, value } of ring) {
      if (before === i && end?.kind === 'ring') Atomics.store(new Int32Array(end[which]), word, value)
    }
    if (post?.before === i && end?.kind === 'port') end.out.postMessage(ODD_POSTS[post.which])
    if (i < frames.length) wire.send(frames[i]!)
    if (i % 2 === 1) await turn()
  }
}
