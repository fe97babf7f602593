// What the frontends of the benchmark are allowed: every command of its core, by name.
import type { Capability } from '@sallyport/core'

const COMMANDS = [
  ...['greet', 'clocked-greet', 'scoped-greet', 'logged-greet', 'clock-start', 'clock-stop', 'read-kib'],
  ...['work', 'wait', 'waits', 'heard', 'fail', 'echo', 'echo-bytes', 'give-back'],
  ...['burst', 'burst-each', 'fan-out', 'seen', 'download', 'pour', 'poured', 'crash', 'born'],
] as const

const PERMISSIONS: readonly string[] = COMMANDS.map(command => `allow-${command}`)

/** One capability with each command. */
export const allOf = (label: string): Capability => ({
  identifier: 'bench',
  windows: [label],
  permissions: [...PERMISSIONS],
})

/** So many that each hold for a frontend, and allow every command once more. */
export const manyFor = (label: string, count: number): Capability[] =>
  Array.from({ length: count }, (_, at) => ({ ...allOf(label), identifier: `bench-${at}` }))

/** The same, and each lets `scoped-greet` greet one more name; World is the last. */
export const manyScopes = (label: string, count: number): Capability[] =>
  manyFor(label, count).map((capability, at) => ({
    ...capability,
    permissions: [
      ...capability.permissions,
      { identifier: 'allow-scoped-greet', allow: [{ name: at === count - 1 ? 'World' : `World ${at}` }] },
    ],
  }))
