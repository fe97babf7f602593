// The end of a member whose host reads nothing of its output.
import { once } from 'node:events'
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import type { MemberCommand, MemberConnection, MemberMessages, MemberPort, MemberReport } from './shared-thread.js'
import { serveMembers } from './shared-thread.js'

const MiB = 2 ** 20

/** Starts a member that prints chunks of this size one after the other, and resolves with what the host gets once the member has exited. */
async function run(chunks: number, bytes: number, end: (host: MemberConnection) => MemberCommand | void) {
  const [parent, member] = [new MessageChannel(), new MessageChannel()]
  const starting = new Promise<MemberConnection>(resolve =>
    serveMembers(parent.port2, connection => {
      connection.onMessage(() => {})
      resolve(connection)
    }),
  )
  parent.port1.postMessage({ port: member.port2 } satisfies MemberPort, [member.port2])
  const send = (command: MemberCommand): void => member.port1.postMessage([1, command])
  send({ type: 'start', data: undefined, activity: new SharedArrayBuffer(8) })
  const host = await starting
  const printed = new Promise<void>(resolve => {
    let left = chunks
    const next = (): void => (left-- > 0 ? host.write('stdout', 'x'.repeat(bytes), next) : resolve())
    next()
  })
  const command = end(host)
  if (command) send(command)
  await printed
  if (command?.type !== 'terminate') host.exit(0)
  await new Promise(setImmediate)
  const reports: MemberReport[] = []
  for (let message; (message = receiveMessageOnPort(member.port1));)
    reports.push(...(message.message as MemberMessages<MemberReport>).filter(each => typeof each !== 'number'))
  member.port1.close()
  await once(member.port1, 'close')
  parent.port1.close()
  return {
    printed: reports.reduce((sum, report) => sum + (report.type === 'output' ? report.chunk.length : 0), 0),
    lost: reports.flatMap(report => (report.type === 'message' ? [report.message] : [])).filter(isLoss),
    last: reports.at(-1)?.type,
  }
}

const isLoss = (message: unknown): boolean => Object(message).type === 'output-dropped'

const ENDS: Record<string, (host: MemberConnection) => MemberCommand | void> = {
  'told to stop': () => ({ type: 'message', message: { type: 'stop', timeout: 0 } }),
  terminated: () => ({ type: 'terminate' }),
  'reports that it has stopped': host => host.postMessage({ type: 'state', state: 'stopped' }),
  'reports that it has failed': host => host.postMessage({ type: 'state', state: 'failed' }),
  'has exited': host => host.endOutput(),
}

it('a member that ends is not delayed by a host that reads nothing, and loses nothing that it has printed', () =>
  rows(ENDS)(async end => {
    expect(await run(100, 1000, end)).toEqual({ printed: 100_000, lost: [], last: 'exited' })
  }))

it('what a member prints at its end beyond 8 MiB is counted', async () => {
  const { printed, lost, last } = await run(12, MiB, host => host.endOutput())
  // The host need not ask for the first chunk.
  expect(printed).toBe(9 * MiB)
  expect(lost).toEqual([{ type: 'output-dropped', stream: 'stdout', characters: 3 * MiB }])
  expect(last).toBe('exited')
})
