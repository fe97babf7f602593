// Every event in every state of a link, also those that cannot happen.
import { expect, it } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import { LINK_TRANSITIONS, LinkActor, type LinkEvent, linkLifecycle, type LinkState } from './link-lifecycle.js'

const EVENTS: readonly LinkEvent[] = [
  ...(['attached', 'activated', 'closed', 'disconnected'] as const),
  ...(['dropped', 'expired', 'rejected', 'violated'] as const),
]

/** In the order of `EVENTS`: the next state and the effects, or `-` if nothing changes. */
const table: Record<LinkState, string> = {
  pending: `attached | - | closed discard replace | closed discard replace |
    draining discard | - | closed fail discard | -`,
  attached: `- | active connect | closed discard replace | closed discard replace | draining discard | - | - |
    attached dismiss`,
  active: `- | - | closing wait | closed replace | draining linger | - | - | active dismiss`,
  closing: `- | - | - | closed release | closed release | closed abort | - | closing dismiss`,
  draining: `- | - | closed release | closed release | - | closed abort | - | -`,
  closed: `- | - | - | - | - | - | - | -`,
}
const states = Object.keys(table) as LinkState[]

const cells = states.flatMap(state =>
  table[state].split('|').map((cell, i) => [`${state}, ${EVENTS[i]!}`, state, EVENTS[i]!, cell.trim()] as const),
)

it('changes with each event as in the table', () =>
  rows(cells)((_name, state, event, next) =>
    expect(linkLifecycle(state, event).join(' ')).toBe(next === '-' ? state : next),
  ))

it('has no other states or events', () => {
  expect(Object.keys(LINK_TRANSITIONS).toSorted()).toEqual(states.toSorted())
  expect(new Set(Object.values(LINK_TRANSITIONS).flatMap(row => Object.keys(row)))).toEqual(new Set(EVENTS))
})

/** Sends the events, and returns the effects. */
function run(...events: LinkEvent[]): string[] {
  const effects: string[] = []
  const add = (effect: string) => (): void => void effects.push(effect)
  const actor = new LinkActor({
    ...{ connect: add('connect'), discard: add('discard'), replace: add('replace'), wait: add('wait') },
    ...{ linger: add('linger'), release: add('release'), abort: add('abort'), fail: add('fail') },
  })
  for (const event of events) actor.send(event)
  return effects
}

it('a link goes from its start to its end', () =>
  rows<[string, LinkEvent[], string[]]>([
    [
      'closes after another link replaced it',
      ['attached', 'activated', 'dropped', 'closed'],
      ['connect', 'linger', 'release'],
    ],
    [
      'closes while its frontend restarts',
      ['attached', 'activated', 'closed', 'dropped', 'expired'],
      ['connect', 'wait', 'release'],
    ],
    ['is taken after its frontend has stopped', ['dropped', 'attached', 'activated', 'closed'], ['discard', 'release']],
    ['is rejected after its frontend has stopped', ['dropped', 'rejected'], ['discard']],
    ['closes before its frontend has started', ['attached', 'closed', 'activated'], ['discard', 'replace']],
  ])((_name, events, effects) => expect(run(...events)).toEqual(effects)))

it('handles an event that an effect sends', () => {
  const effects: string[] = []
  const actor = new LinkActor({ connect: () => actor.send('dropped'), linger: () => effects.push('linger') })
  for (const event of ['attached', 'activated', 'closed'] as const) actor.send(event)
  expect([actor.state, effects]).toEqual(['closed', ['linger']])
})
