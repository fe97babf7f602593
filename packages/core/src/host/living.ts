// Remembers what a worker last said of its own state, for whoever looks at it.
import type { LifeState } from '@sallyport/protocol/actor'
import type { ThreadSpec } from './thread.js'

export interface LivingSpec extends ThreadSpec {
  /** Of the thread that was started last. */
  readonly life: LifeState | undefined
}

/** A worker without a sandbox may say anything. */
const LIVES: ReadonlySet<unknown> = new Set<LifeState>([
  'booting',
  'handshaking',
  'ready',
  'draining',
  'stopped',
  'failed',
])

export function living(spec: ThreadSpec): LivingSpec {
  let life: LifeState | undefined
  return {
    ...spec,
    get life() {
      return life
    },
    spawn(heartbeat) {
      life = undefined
      return spec.spawn(heartbeat)
    },
    onState(state) {
      life = LIVES.has(state) ? state : undefined
      spec.onState(state)
    },
  }
}
