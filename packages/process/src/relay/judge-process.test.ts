import { BusError } from '@sallyport/protocol/internal/errors'
import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { judgeProcess, type ProcessEvidence } from './judge-process.js'

const RUNS = { name: 'it', isStopping: false, lifecycle: 'ready', isSpare: false } as const
const STOPPED = { isStopping: true, wasKilled: true, signal: 'SIGKILL' } as const
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
    ['is killed because it has closed its pipe', { wasKilled: true, signal: 'SIGKILL' }, 'terminated by SIGKILL'],
    ['runs out of memory', { code: 134, outOfMemory: 'heap' }, 'it ran out of memory'],
    ['gets no memory', { signal: 'SIGTRAP', outOfMemory: 'process', maxMemory: 9 }, 'could not allocate memory'],
    ['reaches a limit, and is asked to stop', { ...STOPPED, limit: LIMIT }, 'needed more'],
    ['violates the protocol, and exits', { code: 0, killedFor: new BusError('InvalidRequest', 'lies') }, 'lies'],
    ['does not answer', { wasKilled: true, signal: 'SIGKILL', killedFor: new BusError('Timeout', 'mute') }, 'mute'],
    ['exits before it is killed', { wasKilled: true, code: 3, killedFor: new BusError('Timeout', 'mute') }, undefined],
  ])((_what, { code = null, signal = null, wasKilled = false, limit, outOfMemory, ...evidence }, expected) => {
    const status = { code, signal, wasKilled, limit, outOfMemory }
    const { error, wasStopped } = judgeProcess({ ...RUNS, status, ...evidence })
    if (expected === undefined || expected === 'stopped') expect(error).toBeUndefined()
    else expect(error?.message).toContain(expected)
    // Nothing in Sallyport's own files is to blame.
    if (!evidence.killedFor) expect(error?.stack ?? '').not.toMatch(/^ {4}at /m)
    expect(wasStopped).toBe(expected === 'stopped')
  }))
