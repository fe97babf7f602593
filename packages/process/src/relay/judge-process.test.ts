import { BusError } from '@sallyport/protocol/internal/errors'
import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { judgeProcess, type ProcessEvidence } from './judge-process.js'

const RUNS = { name: 'it', isStopping: false, lifecycle: 'ready', isSpare: false } as const
const STOPPED = { isStopping: true, wasKilled: true, signal: 'SIGKILL' } as const
const MUTE = { wasKilled: true, signal: 'SIGKILL', killedFor: new BusError('Timeout', 'it was mute') } as const
const UNHEARD = { hasGreeted: false, launcher: { name: 'sh', command: '/bin/sh' } } as const
const CONTAINER = { signal: 'SIGKILL', isReported: true, isElsewhere: true, maxMemory: 9 } as const
const LIMIT = { limit: 'pids', max: 3, text: 'needed more' } as const

/** Also that it has `stopped`. */
type Row = [string, Partial<ProcessEvidence> & Partial<ProcessEvidence['status']>, string | undefined]

test('why a process has ended does not depend on what was known first', () =>
  rows<Row>([
    ['exits by itself', { code: 7 }, undefined],
    ['is killed by the order to stop', STOPPED, 'stopped'],
    ['is killed as a spare, whose code has not begun', { ...STOPPED, lifecycle: undefined, isSpare: true }, undefined],
    ['is killed before it has said anything', { ...STOPPED, lifecycle: undefined }, 'stopped'],
    ['is killed while it drains', { ...STOPPED, lifecycle: 'draining' }, 'stopped'],
    ['is ended by a service manager with its host', { isStopping: true, signal: 'SIGTERM' }, 'stopped'],
    ['crashes, and is asked to stop', { isStopping: true, signal: 'SIGABRT' }, 'terminated by SIGABRT'],
    ['is killed by others, and asked to stop', { isStopping: true, signal: 'SIGKILL' }, 'terminated by SIGKILL'],
    ['is killed in a container', { signal: 'SIGKILL', isElsewhere: true, isReported: true }, 'by SIGKILL'],
    [
      'reaches the memory of a container',
      CONTAINER,
      'by SIGKILL. It probably used more memory than its limit of 9 MiB',
    ],
    ['is killed here, where its memory is measured', { ...CONTAINER, isElsewhere: false }, 'by SIGKILL'],
    ['has a container whose client is killed', { ...CONTAINER, isReported: false }, 'by SIGKILL'],
    [
      'closes its output before it has greeted',
      { ...UNHEARD, ...MUTE },
      'it was mute: its launcher "sh" (/bin/sh) was ended',
    ],
    ['is killed before it has greeted', { ...UNHEARD, signal: 'SIGKILL' }, 'was terminated by SIGKILL before the'],
    ['reaches the memory before it has greeted', { ...UNHEARD, ...CONTAINER }, 'started. It probably used more memory'],
    ['reaches a limit before it has greeted', { ...UNHEARD, limit: LIMIT }, 'it needed more'],
    ['runs out of memory', { code: 134, outOfMemory: 'heap' }, 'it ran out of memory'],
    ['gets no memory', { signal: 'SIGTRAP', outOfMemory: 'process', maxMemory: 9 }, 'could not allocate memory'],
    ['reaches a limit, and is asked to stop', { ...STOPPED, limit: LIMIT }, 'needed more'],
    ['violates the protocol, and exits', { code: 0, killedFor: new BusError('InvalidRequest', 'lies') }, 'lies'],
    ['does not answer', MUTE, 'it was mute'],
    ['exits before it is killed', { ...MUTE, signal: null, code: 3 }, undefined],
  ])((_what, row, expected) => {
    const {
      code = null,
      signal = null,
      wasKilled = false,
      limit,
      outOfMemory,
      isReported,
      hasGreeted,
      ...evidence
    } = row
    const status = { code, signal, wasKilled, limit, outOfMemory, isReported, hasGreeted }
    const { error, wasStopped } = judgeProcess({ ...RUNS, status, ...evidence })
    if (expected === undefined || expected === 'stopped') expect(error).toBeUndefined()
    else expect(`${error?.message}$`).toContain(expected.replace(/(?<=SIGKILL)$/, '$'))
    // Nothing in Sallyport's own files is to blame.
    if (!evidence.killedFor) expect(error?.stack ?? '').not.toMatch(/^ {4}at /m)
    expect(wasStopped).toBe(expected === 'stopped')
  }))
