// The table as machines of xstate, whose actors `bus.inspect` and the inspector show, and which docs/internals/machines.md draws.
import { type AnyActorRef, and, type AnyStateMachine, assign, not, or, setup, stateIn } from 'xstate'
import {
  CHANGES,
  CONDITIONS,
  createContext,
  type EffectName,
  type LifeContext,
  type LifeEvent,
  type LifeInput,
} from './context.js'
import type { Life } from './step.js'
import { type Condition, INITIAL, LIFE, type LifeState, type LifeValue, type Region, type Transition } from './table.js'

interface Scope {
  context: LifeContext
  event: LifeEvent
}

const map = <Value, Mapped>(
  record: Readonly<Record<string, Value>>,
  toMapped: (value: Value, name: string) => Mapped,
) => Object.fromEntries(Object.entries(record).map(([name, value]) => [name, toMapped(value, name)]))

function toGuard(condition: Condition): never {
  if (typeof condition === 'string') return condition as never
  if ('not' in condition) return not(toGuard(condition.not)) as never
  if ('all' in condition) return and(condition.all.map(toGuard)) as never
  return or(condition.states.map(state => stateIn({ [condition.region]: state }))) as never
}

const toTransition = ({ if: condition, to, do: actions = [] }: Transition) => ({
  ...(condition !== undefined && { guard: toGuard(condition) }),
  ...(to !== undefined && { target: to }),
  actions,
})

const toState = ({ on = {}, always = [], entry = [], exit = [] }: LifeState) => ({
  ...{ entry, exit, always: always.map(toTransition), on: map(on, transitions => transitions.map(toTransition)) },
})

const runEffect =
  (name: EffectName) =>
  ({ context, event }: Scope): void =>
    context.effects[name]?.(context, event)

/** @internal The effects of a table: what it does, and is no change. */
export const getEffects = (table: Readonly<Record<string, Readonly<Record<string, LifeState>>>>): EffectName[] => {
  const states = Object.values(table).flatMap(region => Object.values(region))
  const actions = states.flatMap(({ entry = [], exit = [], always = [], on = {} }) => {
    const transitions = [...always, ...Object.values(on).flat()]
    return [...entry, ...exit, ...transitions.flatMap(({ do: names = [] }) => names)]
  })
  return [...new Set(actions)].filter(name => !(name in CHANGES)) as EffectName[]
}

/** The types of a machine follow from its table, and say less than those of the table. */
function createMachine(id: string, regions: readonly Region[]): AnyStateMachine {
  const actions = {
    ...Object.fromEntries(getEffects(LIFE).map(name => [name, runEffect(name)])),
    ...map(CHANGES, change => assign(({ context, event }: Scope) => change(context, event))),
  }
  const guards = map(
    CONDITIONS,
    holds =>
      ({ context, event }: Scope) =>
        holds(context, event),
  )
  const states = Object.fromEntries(
    regions.map(region => [region, { initial: INITIAL[region], states: map(LIFE[region], toState) }]),
  )
  const context = ({ input }: { input: LifeInput }): LifeContext => createContext(input)
  const machine: unknown = setup({ actions, guards } as never).createMachine({
    ...{ id, type: 'parallel', context, states },
  } as never)
  return machine as AnyStateMachine
}

/** @internal That of core or of a gate. */
export const codeMachine: AnyStateMachine = createMachine('code', ['code'])
/** @internal That of a frontend. */
export const lifeMachine: AnyStateMachine = createMachine('life', Object.keys(LIFE) as Region[])

/** @internal A life as an actor of one of the machines. */
export const toLife = (actor: AnyActorRef): Life => ({
  get value() {
    return (actor.getSnapshot() as { value: LifeValue }).value
  },
  get context() {
    return (actor.getSnapshot() as { context: LifeContext }).context
  },
  send(event) {
    // It can have ended while the event was being prepared.
    if ((actor.getSnapshot() as { status: string }).status === 'active') actor.send(event)
  },
})
