// A seccomp filter for the process of a frontend: BPF instructions as bytes, which bwrap and setpriv load. It denies other processes,
// sockets, and the parts of the kernel that Node does not need.
import { SYSCALLS } from './syscalls.js'

export interface FilterOptions {
  /** Allows sockets of the internet. @default false */
  net?: boolean
  /** Allows signals to threads, for a process that sees no other processes. Without it `abort` ends with SIGSEGV. @default false */
  signals?: boolean
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
/** AF_INET, AF_INET6 and AF_NETLINK: glibc reads the addresses of interfaces before it resolves names. */
const NET_FAMILIES = [2, 10, 16]
/** F_SETOWN, F_SETSIG, F_SETOWN_EX: they choose a process that gets signals. */
const SIGNAL_FCNTLS = [8, 10, 15]
/** FIOSETOWN, SIOCSPGRP, TIOCSTI, TIOCLINUX: the same for sockets, and input for a terminal. */
const SIGNAL_IOCTLS = [0x8901, 0x8902, 0x5412, 0x541c]

/** Returns the filter, or `undefined` for an architecture whose system calls are unknown. */
export function createFilter({ net = false, signals = false, arch = process.arch }: FilterOptions = {}):
  | Buffer
  | undefined {
  const calls = SYSCALLS[arch]
  if (!calls) return undefined
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
    ...Object.values(calls.denied).flatMap(call => deny(call, EPERM)),
    // A filter cannot read its flags, which are in memory. The C library calls `clone` instead.
    ...deny(calls.clone3, ENOSYS),
    ...onCall(calls.clone, [
      [LOAD, 0, 0, getArgumentOffset(0)],
      [IF_ANY_BIT, 1, 0, CLONE_THREAD],
      [RETURN, 0, 0, errno(EPERM)],
      [RETURN, 0, 0, ALLOW],
    ]),
    ...(net ? allowOnly(calls.socket, 0, NET_FAMILIES, EACCES) : deny(calls.socket, EACCES)),
    ...denyOnly(calls.fcntl, 1, SIGNAL_FCNTLS),
    ...denyOnly(calls.ioctl, 1, SIGNAL_IOCTLS),
    // 0 is the process itself.
    ...allowOnly(calls.prlimit64, 0, [0], EPERM),
    ...(signals ? [] : deny(calls.tgkill, EPERM)),
    [RETURN, 0, 0, ALLOW],
  ])
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
