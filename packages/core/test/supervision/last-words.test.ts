// The cause of a crash: the link of a process closes before its last words have arrived, or its exit.
import { expect, test } from 'vitest'
import type { Bus, ProcessSandbox } from '../../src/index.js'
import type { Launcher } from '../../src/launchers.js'
import { start } from '../support/start.js'
import { at } from '../support/supervised.js'

const crash = at('setTimeout(() => { throw new TypeError("the real cause") }, 50)')

/** Exits three seconds after the process that it starts, whose pipes are closed by then. */
const slow: Launcher = {
  name: 'slow',
  launch: (command, args) => ({
    command: '/bin/sh',
    args: ['-c', '"$@" & exec 3<&- 4<&-; wait $!; code=$?; sleep 3; exit $code', 'slow', command, ...args],
  }),
}

function watchFirstFaults(bus: Bus): Map<string, string> {
  const faults = new Map<string, string>()
  bus.on('fault', ({ label, error }) => void (faults.has(label) || faults.set(label, error.message)))
  return faults
}

function open(
  bus: Bus,
  label: string,
  sandbox: Partial<ProcessSandbox>,
  restart: 'temporary' | 'transient',
  module = crash,
): Promise<void> {
  const options = { sandbox: { kind: 'process' as const, ...sandbox }, supervision: { restart }, loaded: false }
  return bus.open(label, module, options)
}

test.runIf(process.platform !== 'win32').each(['temporary', 'transient'] as const)(
  'a crash has its own error as the cause although the process exits long after its link has closed: %s',
  async restart => {
    const bus = await start()
    const faults = watchFirstFaults(bus)
    await open(bus, 'main', { wall: slow }, restart)
    await expect.poll(() => faults.get('main'), { timeout: 30_000 }).toBe('the real cause')
    await expect.poll(() => bus.frontends()[0]?.error?.message, { timeout: 30_000 }).toBe('the real cause')
  },
)

test.runIf(process.platform !== 'win32')(
  'a process that has finished has not failed although it exits long after its link has closed',
  async () => {
    const bus = await start()
    const faults = watchFirstFaults(bus)
    const exited = new Promise(resolve => bus.on('exited', resolve))
    await open(bus, 'main', { wall: slow }, 'transient', at('setTimeout(() => process.exit(0), 50)'))
    expect(await exited).toEqual({ label: 'main', code: 0, reason: 'exited with code 0' })
    expect(faults).toEqual(new Map())
  },
)

test('the first crash of each of many processes has its own error as the cause', async () => {
  const bus = await start()
  const faults = watchFirstFaults(bus)
  const labels = Array.from({ length: 8 }, (_, index) => `p${index}`)
  await Promise.all(labels.map(label => open(bus, label, { wall: 'none' }, 'temporary')))
  const expected = new Map(labels.map(label => [label, 'the real cause']))
  await expect.poll(() => faults, { timeout: 60_000 }).toEqual(expected)
})
