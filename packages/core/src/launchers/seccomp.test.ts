// The filter as the kernel runs it, for both architectures.
import { expect, test } from 'vitest'
import { createFilter, type FilterOptions } from './seccomp.js'
import { SYSCALLS } from './syscalls.js'

const [ALLOW, KILL] = [0x7fff0000, 0x80000000]
const [EPERM, EACCES, ENOSYS] = [1, 13, 38].map(error => 0x50000 + error)

/** Runs the instructions that a filter can have. */
function run(filter: Buffer, audit: number, number: number, args: readonly number[] = []): number {
  const read = (offset: number): number => {
    if (offset === 0) return number
    return offset === 4 ? audit : (args[(offset - 16) / 8] ?? 0)
  }
  let loaded = 0
  for (let index = 0; ; index++) {
    const offset = index * 8
    const [code, operand] = [filter.readUInt16LE(offset), filter.readUInt32LE(offset + 4)]
    if (code === 0x20) loaded = read(operand)
    else if (code === 0x06) return operand
    else {
      const isTrue = { 0x15: loaded === operand, 0x35: loaded >= operand, 0x45: (loaded & operand) !== 0 }[code]
      if (isTrue === undefined) throw new Error(`unknown instruction ${code}`)
      index += filter.readUInt8(offset + (isTrue ? 2 : 3))
    }
  }
}

for (const arch of ['x64', 'arm64'] as const) {
  const calls = SYSCALLS[arch]!
  const decide = (call: number, args: number[] = [], options: FilterOptions = {}): number =>
    run(createFilter({ arch, ...options })!, calls.audit, call, args)

  test(`${arch}: denies what a frontend never needs, and allows the rest`, () => {
    for (const [name, call] of Object.entries(calls.denied)) expect([name, decide(call)]).toEqual([name, EPERM])
    const denied = new Set([...Object.values(calls.denied), calls.clone, calls.clone3, calls.socket, calls.tgkill])
    const allowed = Array.from({ length: 420 }, (_, call) => call).filter(call => !denied.has(call))
    expect(allowed.filter(call => decide(call) !== ALLOW)).toEqual([])
  })

  test(`${arch}: allows threads, but no processes`, () => {
    // The flags of pthread_create, and those of fork.
    expect(decide(calls.clone, [0x3d0f00])).toBe(ALLOW)
    expect(decide(calls.clone, [0x1200011])).toBe(EPERM)
    expect(decide(calls.clone3)).toBe(ENOSYS)
  })

  test(`${arch}: allows only sockets of the internet, with net`, () => {
    const families = [1, 2, 10, 16, 17, 40]
    expect(families.map(family => decide(calls.socket, [family]))).toEqual(families.map(() => EACCES))
    const withNet = families.map(family => decide(calls.socket, [family], { net: true }))
    expect(withNet).toEqual([EACCES, ALLOW, ALLOW, ALLOW, EACCES, EACCES])
  })

  test(`${arch}: denies signals by way of descriptors, and limits of other processes`, () => {
    expect([0, 1, 3, 8, 10, 15].map(command => decide(calls.fcntl, [0, command]))).toEqual([
      ...[ALLOW, ALLOW, ALLOW],
      ...[EPERM, EPERM, EPERM],
    ])
    expect(decide(calls.ioctl, [0, 0x5401])).toBe(ALLOW)
    expect(decide(calls.ioctl, [0, 0x5412])).toBe(EPERM)
    expect(decide(calls.prlimit64, [0])).toBe(ALLOW)
    expect(decide(calls.prlimit64, [1])).toBe(EPERM)
  })

  test(`${arch}: allows signals to threads only if asked`, () => {
    expect(decide(calls.tgkill)).toBe(EPERM)
    expect(decide(calls.tgkill, [], { signals: true })).toBe(ALLOW)
  })

  test(`${arch}: kills a process that uses the calls of another architecture`, () => {
    expect(run(createFilter({ arch })!, 0x40000003, 1)).toBe(KILL)
  })
}

test('x64: the numbers of x32 do not exist', () => {
  expect(run(createFilter({ arch: 'x64' })!, SYSCALLS.x64!.audit, 0x40000000 + 1)).toBe(ENOSYS)
})

test('there is no filter for an unknown architecture', () => expect(createFilter({ arch: 'riscv64' })).toBeUndefined())
