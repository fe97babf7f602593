// Frontends connect, disconnect, listen and stop in an order that the seed decides, while events are emitted. A model of a few sets
// determines the receivers of each event: exactly these get one frame.
import type { Unlisten } from '@sallyport/protocol/internal/message'
import type { Random } from '../../fuzz/random.js'
import type { Crowd } from './crowd.js'

const STEPS = 300
const EVENTS = ['a', 'b', 'c']

/** Returns the violations. */
export async function comeAndGo(crowd: Crowd, random: Random): Promise<string[]> {
  const wrong: string[] = []
  const labels = [...crowd.clients.keys()]
  const listening = new Map(EVENTS.map(event => [event, new Map<string, Unlisten>()]))
  let came = 0

  const expectOnly = (what: string, expected: Iterable<string>): void => {
    const due = new Set(expected)
    for (const [label, frames] of crowd.received)
      if (!due.delete(label) || frames !== 1) wrong.push(`${what}: ${frames} frames came to ${label}`)
    for (const label of due) wrong.push(`${what}: nothing came to ${label}`)
  }
  const steps = {
    connect() {
      const label = `later-${came++}`
      labels.push(label)
      crowd.connect(label)
    },
    async leave() {
      const at = random.below(labels.length)
      const label = labels[at]!
      labels[at] = labels.at(-1)!
      labels.pop()
      for (const by of listening.values()) by.delete(label)
      await crowd.leave(label)
    },
    async listen() {
      const [event, label] = [random.pick(EVENTS), random.pick(labels)]
      const by = listening.get(event)!
      if (!by.has(label)) by.set(label, await crowd.listen(label, event))
    },
    unlisten() {
      const by = listening.get(random.pick(EVENTS))!
      const label = [...by.keys()][random.below(Math.max(1, by.size))]
      if (label === undefined) return
      by.get(label)!()
      by.delete(label)
    },
    async emit() {
      const event = random.pick(EVENTS)
      crowd.app.emit(event, came)
      await crowd.quiet()
      expectOnly(`emit ${event}`, listening.get(event)!.keys())
    },
    async emitTo() {
      const [event, label] = [random.pick(EVENTS), random.pick(labels)]
      crowd.app.emitTo(label, event, came)
      await crowd.quiet()
      expectOnly(`emitTo ${label} ${event}`, listening.get(event)!.has(label) ? [label] : [])
    },
    async call() {
      const label = random.pick(labels)
      await crowd.call(label)
      await crowd.quiet()
      expectOnly(`a call of ${label}`, [label])
    },
  }
  const kinds: (() => unknown)[] = [...Object.values(steps), steps.listen, steps.listen]
  for (let i = 0; i < STEPS; i++) {
    await crowd.quiet()
    crowd.forget()
    await random.pick(kinds)()
  }
  for (const report of crowd.reports) if (report.type === 'fault') wrong.push(`fault of ${report.label}`)
  return wrong
}
