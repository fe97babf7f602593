// Runs a case against its target, and tells what broke.
import { setImmediate as turn } from 'node:timers/promises'
import { MessageChannel } from 'node:worker_threads'
import { ODD_POSTS, type Case } from './cases.js'
import { openClient } from './client-target.js'
import type { Fuzzed } from './core-target.js'
import { openGate } from './gate-target.js'
import type { Random } from './random.js'
import type { Wire } from './wire.js'

export interface Targets {
  readonly open: Fuzzed
  readonly sealed: Fuzzed
}

const PROBE = 'the probe'

export async function runCase(given: Case, targets: Targets, random: Random): Promise<string | undefined> {
  if (given.target === 'client') return attackClient(given)
  const fuzzed = given.target === 'core' ? targets.open : targets.sealed
  const { forbidden } = fuzzed.ran
  const before = fuzzed.ran.bad
  const problem = await attack(given, fuzzed, random, before)
  return (
    problem ??
    (fuzzed.ran.forbidden === forbidden ? undefined : 'a command ran that was not allowed') ??
    (fuzzed.badLines.length === 0 ? undefined : `a line of the log is not escaped: ${fuzzed.badLines.shift()}`)
  )
}

function attack(given: Case, fuzzed: Fuzzed, random: Random, before: number): Promise<string | undefined> {
  if (given.target === 'gate') return attackGate(given, fuzzed, random, before)
  return attackCore(given, fuzzed, before)
}

async function attackCore(given: Case, fuzzed: Fuzzed, before: number): Promise<string | undefined> {
  const key = given.target === 'core' ? undefined : new MessageChannel()
  const wire = fuzzed.attach('bad', given.link, given.codec, key?.port1)
  await play(wire, given)
  wire.ask({ id: PROBE, method: 'ok' })
  const settled = await wire.settles(PROBE)
  const honest = await fuzzed.checkHonest()
  // What was for the honest one alone comes before this answer, if it comes.
  wire.ask({ id: PROBE, method: 'ok' })
  if (settled && !isCorrupt(given)) await wire.settles(PROBE)
  wire.link.close()
  key?.port2.close()
  if (key && fuzzed.ran.bad !== before) return 'a command ran that no record holds'
  return honest ?? wire.problem ?? overheard(wire) ?? unsettled(given, settled, wire)
}

async function attackGate(given: Case, fuzzed: Fuzzed, random: Random, before: number): Promise<string | undefined> {
  const run = await openGate(fuzzed, random, given.link)
  const { gate, core } = run
  await play(gate, given)
  for (const id of ['the first probe', PROBE]) {
    gate.ask({ id, method: 'ok' })
    await turn()
  }
  const settled = await core.until(() => gate.closed || core.closed || core.has(PROBE) || run.withheld(), gate)
  const endsRightly = !run.tampered() || (await core.until(() => core.closed))
  const honest = await fuzzed.checkHonest()
  gate.link.close()
  core.link.close()
  if (!endsRightly) return 'a record that was tampered with did not close the session'
  if (fuzzed.ran.bad - before > run.passed()) return 'a command ran more often than the hook let it'
  return honest ?? gate.problem ?? core.problem ?? overheard(core) ?? unsettled(given, settled, gate, core)
}

const overheard = ({ canaries }: Wire): string | undefined =>
  canaries > 0 ? 'what was for another frontend was overheard' : undefined

async function attackClient(given: Case): Promise<string | undefined> {
  const { wire, close } = openClient(given.link, given.codec)
  await play(wire, given)
  wire.ask({ id: 777_777, method: 'f', params: {} })
  const settled = await wire.settles(777_777)
  await close()
  return wire.problem ?? unsettled(given, settled, wire)
}

/** Whoever breaks its own ring may not be heard any more, nor hear what was said: nobody owes it an answer. */
const isCorrupt = ({ ring }: Case): boolean => ring.length > 0

function unsettled(given: Case, settled: boolean, ...wires: Wire[]): string | undefined {
  if (isCorrupt(given)) return undefined
  const unreadable = wires.find(wire => wire.unreadable !== undefined)?.unreadable
  return unreadable ?? (settled ? undefined : 'neither answered nor closed')
}

async function play(wire: Wire, { frames, ring, post }: Case): Promise<void> {
  for (let i = 0; i <= frames.length; i++) {
    for (const { before, ring: which, word, value } of ring) {
      if (before === i && wire.end.rings) Atomics.store(new Int32Array(wire.end.rings[which]), word, value)
    }
    if (post?.before === i) wire.end.port.postMessage(ODD_POSTS[post.which])
    if (i < frames.length) wire.send(frames[i]!)
    if (i % 2 === 1) await turn()
  }
}
