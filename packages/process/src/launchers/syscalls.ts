// Numbers of Linux system calls by architecture, from the kernel's tables (arch/x86/entry/syscalls, include/uapi/asm-generic/unistd.h).

/** Calls since Linux 5.1 have the same number on every architecture. */
type Numbers = number | readonly [x64: number, arm64?: number]

/** Each has rules of its own. */
type Ruled = 'clone' | 'clone3' | 'mmap' | 'socket' | 'fcntl' | 'ioctl' | 'prlimit64' | 'tgkill' | 'openat2'
const RULED: Readonly<Record<Ruled, Numbers>> = {
  ...{ clone: [56, 220], clone3: 435, mmap: [9, 222], socket: [41, 198], fcntl: [72, 25], ioctl: [16, 29] },
  ...{ prlimit64: [302, 261], tgkill: [234, 131], openat2: 437 },
}

/** They can create a file. */
const CREATING: Readonly<Record<string, Numbers>> = {
  ...{ open: [2], openat: [257, 56], creat: [85], mknod: [133], mknodat: [259, 33] },
}

/** They fail with EPERM: the process of a frontend never needs them. */
const DENIED: Readonly<Record<string, Numbers>> = {
  ...{ pidfd_send_signal: 424, io_uring_setup: 425, io_uring_enter: 426, io_uring_register: 427 },
  ...{ open_tree: 428, move_mount: 429, fsopen: 430, fsconfig: 431, fsmount: 432, fspick: 433, pidfd_open: 434 },
  ...{ pidfd_getfd: 438, process_madvise: 440, mount_setattr: 442, quotactl_fd: 443, memfd_secret: 447 },
  ...{ process_mrelease: 448, fchmodat2: 452, setxattrat: 463, removexattrat: 466, open_tree_attr: 467 },
  ...{ file_setattr: 469 },
  // Other processes.
  ...{ fork: [57], vfork: [58], ptrace: [101, 117], process_vm_readv: [310, 270], process_vm_writev: [311, 271] },
  ...{ kcmp: [312, 272], kill: [62, 129], tkill: [200, 130], rt_sigqueueinfo: [129, 138] },
  ...{ rt_tgsigqueueinfo: [297, 240], move_pages: [279, 239], migrate_pages: [256, 238], setpriority: [141, 140] },
  ...{ sched_setaffinity: [203, 122], sched_setscheduler: [144, 119], sched_setparam: [142, 118] },
  ...{ sched_setattr: [314, 274], ioprio_set: [251, 30], socketpair: [53, 199] },
  // Mounts and namespaces.
  ...{ mount: [165, 40], umount2: [166, 39], pivot_root: [155, 41], chroot: [161, 51], unshare: [272, 97] },
  ...{ setns: [308, 268] },
  // Rarely used parts of the kernel.
  ...{ bpf: [321, 280], perf_event_open: [298, 241], userfaultfd: [323, 282], keyctl: [250, 219] },
  ...{ add_key: [248, 217], request_key: [249, 218], memfd_create: [319, 279], open_by_handle_at: [304, 265] },
  ...{ name_to_handle_at: [303, 264], vmsplice: [278, 75], personality: [135, 92], shmget: [29, 194] },
  ...{ shmat: [30, 196], shmctl: [31, 195], msgget: [68, 186], semget: [64, 190], mq_open: [240, 180] },
  ...{ modify_ldt: [154] },
  // The machine.
  ...{ init_module: [175, 105], finit_module: [313, 273], delete_module: [176, 106], kexec_load: [246, 104] },
  ...{ kexec_file_load: [320, 294], reboot: [169, 142], swapon: [167, 224], swapoff: [168, 225], acct: [163, 89] },
  ...{ syslog: [103, 116], quotactl: [179, 60], ioperm: [173], iopl: [172], settimeofday: [164, 170] },
  ...{ clock_settime: [227, 112], adjtimex: [159, 171], clock_adjtime: [305, 266], sethostname: [170, 161] },
  ...{ setdomainname: [171, 162] },
  // Attributes of files, which Landlock does not restrict.
  ...{ chmod: [90], fchmod: [91, 52], fchmodat: [268, 53], chown: [92], fchown: [93, 55], lchown: [94] },
  ...{ fchownat: [260, 54], utime: [132], utimes: [235], futimesat: [261], utimensat: [280, 88] },
  ...{ setxattr: [188, 5], lsetxattr: [189, 6], fsetxattr: [190, 7], removexattr: [197, 14] },
  ...{ lremovexattr: [198, 15], fremovexattr: [199, 16] },
  ...{ inotify_init: [253], inotify_init1: [294, 26], fanotify_init: [300, 262] },
  // What stops other programs: locks of files, and asynchronous I/O, whose number the kernel limits for the whole machine.
  ...{ flock: [73, 32], io_setup: [206, 0], io_submit: [209, 2] },
}

/** Returns the numbers of those that the architecture has. */
const pick = <Name extends string>(table: Readonly<Record<Name, Numbers>>, at: 0 | 1): Record<Name, number> =>
  Object.fromEntries(
    Object.entries<Numbers>(table)
      .map(([name, numbers]) => [name, typeof numbers === 'number' ? numbers : numbers[at]])
      .filter(([, number]) => number !== undefined),
  )

export interface Syscalls extends Readonly<Record<Ruled, number>> {
  /** AUDIT_ARCH of the architecture. */
  readonly audit: number
  readonly denied: Readonly<Record<string, number>>
  readonly creating: Readonly<Record<string, number>>
}

const createSyscalls = (audit: number, at: 0 | 1): Syscalls => ({
  ...pick(RULED, at),
  ...{ audit, denied: pick(DENIED, at), creating: pick(CREATING, at) },
})

export const SYSCALLS: Readonly<Partial<Record<string, Syscalls>>> = {
  x64: createSyscalls(0xc000003e, 0),
  arm64: createSyscalls(0xc00000b7, 1),
}
