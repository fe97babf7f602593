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

  test(`${arch}: denies signals, locks and leases by way of descriptors, and limits of other processes`, () => {
    const getDecisions = (commands: number[]) => commands.map(command => decide(calls.fcntl, [0, command]))
    expect(getDecisions([0, 1, 2, 3, 4, 5, 1025, 1030]).every(decision => decision === ALLOW)).toBe(true)
    const [signals, locks, leases] = [
      [8, 10, 15],
      [6, 7, 37, 38],
      [1024, 1026],
    ]
    expect(getDecisions([...signals!, ...locks!, ...leases!]).every(decision => decision === EPERM)).toBe(true)
    expect(decide(calls.ioctl, [0, 0x5401])).toBe(ALLOW)
    expect(decide(calls.ioctl, [0, 0x5412])).toBe(EPERM)
    expect(decide(calls.prlimit64, [0])).toBe(ALLOW)
    expect(decide(calls.prlimit64, [1])).toBe(EPERM)
  })

  test(`${arch}: denies anonymous memory that is shared`, () => {
    const [shared, isPrivate, validated, fixed, anonymous] = [0x01, 0x02, 0x03, 0x10, 0x20]
    const map = (flags: number): number => decide(calls.mmap, [0, 4096, 3, flags])
    for (const flags of [isPrivate, isPrivate | fixed | anonymous, shared, validated]) expect(map(flags)).toBe(ALLOW)
    for (const flags of [shared, validated, shared | fixed]) expect(map(flags | anonymous)).toBe(EPERM)
  })

  test(`${arch}: allows signals to threads only if asked`, () => {
    expect(decide(calls.tgkill)).toBe(EPERM)
    expect(decide(calls.tgkill, [], { signals: true })).toBe(ALLOW)
  })

  test(`${arch}: kills a process that uses the calls of another architecture`, () => {
    expect(run(createFilter({ arch })!, 0x40000003, 1)).toBe(KILL)
  })

  const forProgram = (call: number, args: number[] = [], net = false): number =>
    decide(call, args, { programs: true, net })

  test(`${arch}: lets programs start programs, but in no namespaces of their own`, () => {
    expect(forProgram(calls.clone, [0x1200011])).toBe(ALLOW)
    for (const flag of [0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000]) {
      expect(forProgram(calls.clone, [0x11 | flag])).toBe(EPERM)
    }
    expect(forProgram(calls.clone3)).toBe(ENOSYS)
  })

  test(`${arch}: denies programs what leads out of a wall`, () => {
    const allowed = [
      'fork',
      'vfork',
      'kill',
      'tkill',
      'socketpair',
      'flock',
      'utime',
      'utimes',
      'futimesat',
      'utimensat',
    ]
    const isAllowed = (name: string): boolean => allowed.includes(name) || /^f?l?ch(mod|own)/.test(name)
    for (const [name, call] of Object.entries(calls.denied)) {
      const expected = name === 'socketpair' ? EPERM : isAllowed(name) ? ALLOW : EPERM
      expect([name, forProgram(call)]).toEqual([name, expected])
    }
    expect(forProgram(calls.ioctl, [0, 0x5412])).toBe(EPERM)
    expect(forProgram(calls.prlimit64, [1])).toBe(EPERM)
    expect([8, 10, 15, 1024, 1026].map(command => forProgram(calls.fcntl, [0, command]))).toEqual(Array(5).fill(EPERM))
    expect([6, 7, 37, 38].map(command => forProgram(calls.fcntl, [0, command]))).toEqual(Array(4).fill(ALLOW))
  })

  test(`${arch}: lets a frontend that writes files change their attributes, but not give them its rights`, () => {
    const { denied, creating } = calls
    const attributes = /^f?l?ch(?:mod|own)|^f?utimes?/
    for (const [name, call] of Object.entries(denied)) {
      expect([name, decide(call, [], { files: true })]).toEqual([name, attributes.test(name) ? ALLOW : EPERM])
    }
    const chmod = denied['fchmodat']!
    expect([0o755, 0o4755].map(mode => decide(chmod, [0, 0, mode], { files: true }))).toEqual([ALLOW, EPERM])
    const open = (mode: number) => decide(creating['openat']!, [0, 0, 0o101, mode], { files: true })
    expect([0o644, 0o2755].map(open)).toEqual([ALLOW, EPERM])
  })

  test(`${arch}: lets programs have Unix sockets, but with net only pairs of them`, () => {
    const families = [1, 2, 10, 16, 17, 40]
    const getDecisions = (net: boolean) => families.map(family => forProgram(calls.socket, [family], net))
    expect(getDecisions(false)).toEqual([ALLOW, EACCES, EACCES, EACCES, EACCES, EACCES])
    expect(getDecisions(true)).toEqual([EACCES, ALLOW, ALLOW, ALLOW, EACCES, EACCES])
    expect([1, 2].map(family => forProgram(calls.denied['socketpair']!, [family], true))).toEqual([ALLOW, EPERM])
    expect([1, 2].map(family => decide(calls.denied['socketpair']!, [family]))).toEqual([ALLOW, EPERM])
  })

  test(`${arch}: lets programs create and change files, but none with the rights of its owner`, () => {
    const { denied, creating } = calls
    const [create, plain] = [0o101, 0o1]
    for (const [name, flags] of Object.entries({ open: 1, openat: 2 })) {
      const call = creating[name]
      if (call === undefined) continue
      const open = (flag: number, mode: number) => forProgram(call, [...Array<number>(flags).fill(0), flag, mode])
      expect([open(create, 0o755), open(create, 0o4755), open(create, 0o2755)]).toEqual([ALLOW, EPERM, EPERM])
      expect([open(0o20200001, 0o4755), open(plain, 0o4755)]).toEqual([EPERM, ALLOW])
    }
    for (const [name, mode] of Object.entries({ creat: 1, mknod: 1, mknodat: 2 })) {
      const call = creating[name]
      if (call === undefined) continue
      expect(forProgram(call, [...Array<number>(mode).fill(0), 0o4755])).toBe(EPERM)
      expect(forProgram(call, [...Array<number>(mode).fill(0), 0o755])).toBe(ALLOW)
    }
    for (const [name, mode] of Object.entries({ chmod: 1, fchmod: 1, fchmodat: 2, fchmodat2: 2 })) {
      if (denied[name] === undefined) continue
      expect([name, forProgram(denied[name], [...Array<number>(mode).fill(0), 0o6755])]).toEqual([name, EPERM])
    }
    expect(forProgram(437)).toBe(ENOSYS)
  })
}
