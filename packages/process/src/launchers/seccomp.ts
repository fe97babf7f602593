// Seccomp filters: BPF instructions as bytes, which bwrap and setpriv load. That for the process of a frontend denies other processes,
// sockets, and the parts of the kernel that Node does not need. That for programs of any kind lets them start processes, signal these and
// change files, in namespaces that they cannot leave or nest.
import { type Syscalls, SYSCALLS } from './syscalls.js'

export interface FilterOptions {
  /** Allows sockets of the internet: `own` in a network namespace of the process's own, which has no way out. @default false */
  net?: boolean | 'own'
  /** Allows signals to threads, for a process that sees no other processes. Without it `abort` ends with SIGSEGV. @default false */
  signals?: boolean
  /** Allows attributes of files, for a process that can change directories of the host. @default false */
  files?: boolean
  /**
   * For a program in namespaces of its own, whose files of the host are mounted read-only unless it may change them. Allows processes, signals,
   * attributes and locks of files, and Unix sockets: all of them in a network of its own, and else pairs, because sockets with abstract names
   * belong to the network that it then shares. @default false
   */
  programs?: boolean
  /** @default process.arch */
  arch?: string
}

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, operand: number]

const LOAD = 0x20
const IF_EQUAL = 0x15
const IF_AT_LEAST = 0x35
const IF_ANY_BIT = 0x45
const RETURN = 0x06

const ALLOW = 0x7fff0000
const KILL_PROCESS = 0x80000000
const errno = (number: number): number => 0x00050000 | number
const [EPERM, EACCES, ENOSYS] = [1, 13, 38]

/** Offsets in `struct seccomp_data`. A filter sees only the lower half of an argument here, which is all that the kernel uses of these. */
const NUMBER = 0
const ARCHITECTURE = 4
const getArgumentOffset = (index: number): number => 16 + 8 * index

const CLONE_THREAD = 0x10000
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET. CLONE_NEWTIME is none of `clone`. */
const NEW_NAMESPACES = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000
/** S_ISUID and S_ISGID: other users of the host could run such a file with the rights of the host's user. */
const SET_ID_BITS = 0o6000
/** O_CREAT, and the bit of O_TMPFILE that is no other flag's: without these, `open` ignores its mode, which can be any number. */
const [O_CREAT, O_TMPFILE] = [0o100, 0o20000000]
const AF_UNIX = 1
/** Attributes of files that belong to the same user. */
const FILE_CALLS: readonly string[] = [
  ...['chmod', 'fchmod', 'fchmodat', 'fchmodat2', 'chown', 'fchown', 'lchown', 'fchownat'],
  ...['utime', 'utimes', 'futimesat', 'utimensat'],
]
/** What a program in its own namespaces can do without effect on others. */
const PROGRAM_CALLS: readonly string[] = ['fork', 'vfork', 'kill', 'tkill', 'flock', ...FILE_CALLS]
/** MAP_SHARED, also a part of MAP_SHARED_VALIDATE, and MAP_ANONYMOUS. */
const [MAP_SHARED, MAP_ANONYMOUS] = [0x01, 0x20]
/** AF_INET, AF_INET6 and AF_NETLINK: glibc reads the addresses of interfaces before it resolves names. */
const NET_FAMILIES = [2, 10, 16]
const DENIED_FCNTLS = [
  // F_SETOWN, F_SETSIG, F_SETOWN_EX: they choose a process that gets signals.
  ...[8, 10, 15],
  // F_SETLEASE, F_NOTIFY: with a lease, whoever opens the file for writing waits up to 45 s.
  ...[1024, 1026],
]
/** F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW: programs of the host would wait for these locks. */
const LOCK_FCNTLS = [6, 7, 37, 38]
/** FIOSETOWN, SIOCSPGRP, TIOCSTI, TIOCLINUX: the same for sockets, and input for a terminal. */
const SIGNAL_IOCTLS = [0x8901, 0x8902, 0x5412, 0x541c]

/** Returns the filter, or `undefined` for an architecture whose system calls are unknown. */
export function createFilter({
  net = false,
  signals = false,
  files = false,
  programs = false,
  arch = process.arch,
}: FilterOptions = {}): Buffer | undefined {
  const calls = SYSCALLS[arch]
  if (!calls) return undefined
  const allowed = programs ? PROGRAM_CALLS : files ? FILE_CALLS : []
  const denied = Object.entries(calls.denied).filter(([name]) => name !== 'socketpair' && !allowed.includes(name))
  const families = [...(net ? NET_FAMILIES : []), ...(programs && net !== true ? [AF_UNIX] : [])]
  return encode([
    [LOAD, 0, 0, ARCHITECTURE],
    [IF_EQUAL, 1, 0, calls.audit],
    // Another architecture has other numbers.
    [RETURN, 0, 0, KILL_PROCESS],
    [LOAD, 0, 0, NUMBER],
    // Numbers of the x32 variant.
    ...(arch === 'x64'
      ? ([
          [IF_AT_LEAST, 0, 1, 0x40000000],
          [RETURN, 0, 0, errno(ENOSYS)],
        ] as const)
      : []),
    ...denied.flatMap(([, call]) => deny(call, EPERM)),
    // A filter cannot read its flags, which are in memory. The C library calls `clone` instead.
    ...deny(calls.clone3, ENOSYS),
    ...onCall(calls.clone, [
      [LOAD, 0, 0, getArgumentOffset(0)],
      ...(programs ? ([[IF_ANY_BIT, 0, 1, NEW_NAMESPACES]] as const) : ([[IF_ANY_BIT, 1, 0, CLONE_THREAD]] as const)),
      [RETURN, 0, 0, errno(EPERM)],
      [RETURN, 0, 0, ALLOW],
    ]),
    ...(programs || files ? denySetId(calls) : []),
    // A pair leads nowhere else. Deno has one for signals.
    ...allowOnly(calls.denied['socketpair']!, 0, [AF_UNIX], EPERM),
    ...(families.length > 0 ? allowOnly(calls.socket, 0, families, EACCES) : deny(calls.socket, EACCES)),
    // The kernel keeps such pages after MADV_DONTNEED, and then counts them for no process.
    ...onCall(calls.mmap, [
      [LOAD, 0, 0, getArgumentOffset(3)],
      [IF_ANY_BIT, 0, 2, MAP_SHARED],
      [IF_ANY_BIT, 0, 1, MAP_ANONYMOUS],
      [RETURN, 0, 0, errno(EPERM)],
      [RETURN, 0, 0, ALLOW],
    ]),
    ...denyOnly(calls.fcntl, 1, [...DENIED_FCNTLS, ...(programs ? [] : LOCK_FCNTLS)]),
    ...denyOnly(calls.ioctl, 1, SIGNAL_IOCTLS),
    // 0 is the process itself.
    ...allowOnly(calls.prlimit64, 0, [0], EPERM),
    ...(signals || programs ? [] : deny(calls.tgkill, EPERM)),
    [RETURN, 0, 0, ALLOW],
  ])
}

/** Which argument is the mode of a file. That of these follows the flags. */
const MODES = { creat: 1, mknod: 1, mknodat: 2, chmod: 1, fchmod: 1, fchmodat: 2, fchmodat2: 2 }
const FLAGS = { open: 1, openat: 2 }

/** Refuses each way to create a file with a bit of SET_ID_BITS, or to give one to a file. */
function denySetId({ denied, creating, openat2 }: Syscalls): Instruction[] {
  const calls = { ...denied, ...creating }
  const onEach = (places: Record<string, number>, getRules: (argument: number) => readonly Instruction[]) =>
    Object.entries(places).flatMap(([name, argument]) =>
      calls[name] === undefined ? [] : onCall(calls[name], getRules(argument)),
    )
  const refuse = (argument: number): Instruction[] => [
    [LOAD, 0, 0, getArgumentOffset(argument)],
    [IF_ANY_BIT, 0, 1, SET_ID_BITS],
    [RETURN, 0, 0, errno(EPERM)],
    [RETURN, 0, 0, ALLOW],
  ]
  return [
    ...onEach(MODES, refuse),
    ...onEach(FLAGS, flags => [
      [LOAD, 0, 0, getArgumentOffset(flags)],
      [IF_ANY_BIT, 1, 0, O_CREAT | O_TMPFILE],
      [RETURN, 0, 0, ALLOW],
      ...refuse(flags + 1),
    ]),
    // A filter cannot read its flags, which are in memory. Programs use `openat` instead.
    ...deny(openat2, ENOSYS),
  ]
}

const deny = (call: number, error: number): Instruction[] => onCall(call, [[RETURN, 0, 0, errno(error)]])

/** Runs instructions that end with a return for one system call. */
const onCall = (call: number, then: readonly Instruction[]): Instruction[] => [
  [IF_EQUAL, 0, then.length, call],
  ...then,
]

const allowOnly = (call: number, argument: number, values: readonly number[], error: number): Instruction[] =>
  onCall(call, compare(argument, values, ALLOW, errno(error)))

const denyOnly = (call: number, argument: number, values: readonly number[]): Instruction[] =>
  onCall(call, compare(argument, values, errno(EPERM), ALLOW))

function compare(argument: number, values: readonly number[], ifEqual: number, otherwise: number): Instruction[] {
  return [
    [LOAD, 0, 0, getArgumentOffset(argument)],
    ...values.map((value, index): Instruction => [IF_EQUAL, values.length - index, 0, value]),
    [RETURN, 0, 0, otherwise],
    [RETURN, 0, 0, ifEqual],
  ]
}

/** Encodes an array of `struct sock_filter`. Both architectures are little-endian. */
function encode(instructions: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(instructions.length * 8)
  for (const [index, [code, ifTrue, ifFalse, operand]] of instructions.entries()) {
    const offset = index * 8
    bytes.writeUInt16LE(code, offset)
    bytes.writeUInt8(ifTrue, offset + 2)
    bytes.writeUInt8(ifFalse, offset + 3)
    bytes.writeUInt32LE(operand >>> 0, offset + 4)
  }
  return bytes
}
