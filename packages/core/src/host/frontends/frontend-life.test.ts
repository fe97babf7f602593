// Every event in every state of a frontend's two regions, also those that cannot happen.
import { expect, it } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import {
  CODE_TRANSITIONS,
  type CodeState,
  type FrontendEvent,
  FrontendLife,
  type FrontendStage,
  STAGE_TRANSITIONS,
} from './frontend-life.js'

const EVENTS: readonly FrontendEvent[] = [
  ...(['offered', 'announced', 'linked', 'started', 'activated'] as const),
  ...(['stopped', 'restarting', 'exited', 'closed'] as const),
]

/** In the order of `EVENTS`: the next state and the effects, or `-` if nothing changes. */
const stages: Record<FrontendStage, string> = {
  opening: '- | - | ready open | - | - | - | - | - | closing',
  ready: '- | - | - | started | - | - | - | - | closing',
  started: '- | - | - | - | - | - | - | - | closing',
  closing: '- | - | - | - | - | - | - | - | -',
}
const codes: Record<CodeState, string> = {
  unlinked: 'offered | - | - | - | - | - | restarting | exited | -',
  restarting: 'offered | - | - | - | - | unlinked forget | restarting forget | exited forget | -',
  offered: '- | announced | - | - | running begin | unlinked forget | restarting forget | exited forget | -',
  announced: '- | - | - | - | running | unlinked end | restarting end | exited end | -',
  running: '- | - | - | - | - | unlinked end | restarting end | exited end | -',
  exited: '- | - | - | - | - | - | - | - | -',
}

const getCells = <State extends string>(table: Record<State, string>) =>
  (Object.entries(table) as [State, string][]).flatMap(([state, row]) =>
    row.split('|').map((cell, i) => [`${state}, ${EVENTS[i]!}`, state, EVENTS[i]!, cell.trim()] as const),
  )

/** Sends the events. Returns the life and its effects. */
function live(events: readonly FrontendEvent[], { stage, code }: Partial<FrontendLife> = {}) {
  const effects: string[] = []
  const add = (effect: string) => (): void => void effects.push(effect)
  const life = new FrontendLife({ open: add('open'), begin: add('begin'), end: add('end'), forget: add('forget') })
  life.stage = stage ?? life.stage
  life.code = code ?? life.code
  for (const event of events) life.send(event)
  return { life, effects }
}

it('changes the stage of a frontend with each event as in the table', () =>
  rows(getCells(stages))((_name, stage, event, next) => {
    const { life, effects } = live([event], { stage, code: 'exited' })
    expect([life.stage, ...effects].join(' ')).toBe(next === '-' ? stage : next)
  }))

it('changes the state of its code with each event as in the table', () =>
  rows(getCells(codes))((_name, code, event, next) => {
    const { life, effects } = live([event], { stage: 'closing', code })
    expect([life.code, ...effects].join(' ')).toBe(next === '-' ? code : next)
  }))

it('has no other states or events', () => {
  expect(Object.keys(STAGE_TRANSITIONS)).toEqual(Object.keys(stages))
  expect(Object.keys(CODE_TRANSITIONS)).toEqual(Object.keys(codes))
  const cells = [...Object.values(STAGE_TRANSITIONS), ...Object.values(CODE_TRANSITIONS)]
  expect(new Set(cells.flatMap(row => Object.keys(row)))).toEqual(new Set(EVENTS))
})

it('goes from its start to its end', () =>
  rows<[string, FrontendEvent[], string[]]>([
    ['loads its module', ['offered', 'linked', 'started', 'activated', 'exited'], ['open', 'begin', 'end']],
    ['runs already', ['offered', 'announced', 'linked', 'started', 'activated', 'exited'], ['open', 'end']],
    ['runs already, and loses its gate', ['offered', 'announced', 'offered', 'announced', 'exited'], ['end']],
    ['is refused', ['offered', 'exited'], ['forget']],
    ['gets another link', ['offered', 'linked', 'started', 'activated', 'offered', 'activated'], ['open', 'begin']],
    [
      'restarts',
      ['offered', 'linked', 'started', 'activated', 'restarting', 'offered', 'activated'],
      ['open', 'begin', 'end', 'begin'],
    ],
    ['restarts while core is down, and fails', ['offered', 'restarting', 'exited'], ['forget', 'forget']],
    ['restarts before core knows it', ['restarting', 'stopped'], ['forget']],
    ['waits for a change of its files', ['offered', 'stopped', 'closed', 'exited'], ['forget']],
  ])((_name, events, effects) => expect(live(events).effects).toEqual(effects)))

it('is known to core from the offer of a link to the stop of its code, and to the others while its code runs', () => {
  const events: FrontendEvent[] = ['offered', 'linked', 'started', 'activated', 'offered', 'restarting', 'offered']
  const seen = events.map((_, i) => {
    const { isKnown, hasBegun } = live(events.slice(0, i + 1)).life
    return [isKnown, hasBegun]
  })
  const [offered, running, gone] = [
    [true, false],
    [true, true],
    [false, false],
  ]
  expect(seen).toEqual([offered, offered, offered, running, running, gone, offered])
})

it('has a state before the effects that it leads to', () => {
  const states: string[] = []
  const add = (): void => void states.push(life.code)
  const life = new FrontendLife({ open: add, begin: add, end: add, forget: add })
  for (const event of ['offered', 'activated', 'restarting'] as const) life.send(event)
  expect(states).toEqual(['running', 'restarting'])
})
