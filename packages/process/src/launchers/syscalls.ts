// Numbers of Linux system calls by architecture, from the kernel's tables (arch/x86/entry/syscalls, include/uapi/asm-generic/unistd.h).

/** `denied` fail with EPERM: the process of a frontend never needs them. */
export interface Syscalls {
  /** AUDIT_ARCH of the architecture. */
  readonly audit: number
  readonly clone: number
  readonly clone3: number
  readonly mmap: number
  readonly socket: number
  readonly fcntl: number
  readonly ioctl: number
  readonly prlimit64: number
  readonly tgkill: number
  readonly denied: Readonly<Record<string, number>>
  /** Calls that can create a file with a mode: that of `open` follows its flags. */
  readonly modes: {
    readonly open: readonly (readonly [call: number, flags: number])[]
    readonly create: readonly (readonly [call: number, mode: number])[]
  }
}

/** The same number on every architecture. */
export const OPENAT2 = 437

/** Calls since Linux 5.1 have the same number on every architecture. */
const COMMON = {
  ...{ pidfd_send_signal: 424, io_uring_setup: 425, io_uring_enter: 426, io_uring_register: 427 },
  ...{ open_tree: 428, move_mount: 429, fsopen: 430, fsconfig: 431, fsmount: 432, fspick: 433, pidfd_open: 434 },
  ...{ pidfd_getfd: 438, process_madvise: 440, mount_setattr: 442, quotactl_fd: 443, memfd_secret: 447 },
  ...{
    process_mrelease: 448,
    fchmodat2: 452,
    setxattrat: 463,
    removexattrat: 466,
    open_tree_attr: 467,
    file_setattr: 469,
  },
}

const X64: Syscalls = {
  ...{
    audit: 0xc000003e,
    clone: 56,
    clone3: 435,
    mmap: 9,
    socket: 41,
    fcntl: 72,
    ioctl: 16,
    prlimit64: 302,
    tgkill: 234,
  },
  // open and openat; creat, mknod and mknodat.
  modes: {
    open: [
      [2, 1],
      [257, 2],
    ],
    create: [
      [85, 1],
      [133, 1],
      [259, 2],
    ],
  },
  denied: {
    ...COMMON,
    // Other processes.
    ...{ fork: 57, vfork: 58, ptrace: 101, process_vm_readv: 310, process_vm_writev: 311, kcmp: 312 },
    ...{ kill: 62, tkill: 200, rt_sigqueueinfo: 129, rt_tgsigqueueinfo: 297, move_pages: 279, migrate_pages: 256 },
    ...{ setpriority: 141, sched_setaffinity: 203, sched_setscheduler: 144, sched_setparam: 142, sched_setattr: 314 },
    ...{ ioprio_set: 251, socketpair: 53 },
    // Mounts and namespaces.
    ...{ mount: 165, umount2: 166, pivot_root: 155, chroot: 161, unshare: 272, setns: 308 },
    // Rarely used parts of the kernel.
    ...{ bpf: 321, perf_event_open: 298, userfaultfd: 323, keyctl: 250, add_key: 248, request_key: 249 },
    ...{ memfd_create: 319, open_by_handle_at: 304, name_to_handle_at: 303, vmsplice: 278, personality: 135 },
    ...{ shmget: 29, shmat: 30, shmctl: 31, msgget: 68, semget: 64, mq_open: 240, modify_ldt: 154 },
    // The machine.
    ...{ init_module: 175, finit_module: 313, delete_module: 176, kexec_load: 246, kexec_file_load: 320, reboot: 169 },
    ...{ swapon: 167, swapoff: 168, acct: 163, syslog: 103, quotactl: 179, ioperm: 173, iopl: 172 },
    ...{
      settimeofday: 164,
      clock_settime: 227,
      adjtimex: 159,
      clock_adjtime: 305,
      sethostname: 170,
      setdomainname: 171,
    },
    // Attributes of files, which Landlock does not restrict.
    ...{ chmod: 90, fchmod: 91, fchmodat: 268, chown: 92, fchown: 93, lchown: 94, fchownat: 260 },
    ...{ utime: 132, utimes: 235, futimesat: 261, utimensat: 280, setxattr: 188, lsetxattr: 189, fsetxattr: 190 },
    ...{ removexattr: 197, lremovexattr: 198, fremovexattr: 199 },
    ...{ inotify_init: 253, inotify_init1: 294, fanotify_init: 300 },
    // What stops other programs: locks of files, and asynchronous I/O, whose number the kernel limits for the whole machine.
    ...{ flock: 73, io_setup: 206, io_submit: 209 },
  },
}

const ARM64: Syscalls = {
  ...{
    audit: 0xc00000b7,
    clone: 220,
    clone3: 435,
    mmap: 222,
    socket: 198,
    fcntl: 25,
    ioctl: 29,
    prlimit64: 261,
    tgkill: 131,
  },
  // openat; mknodat.
  modes: { open: [[56, 2]], create: [[33, 2]] },
  denied: {
    ...COMMON,
    ...{ ptrace: 117, process_vm_readv: 270, process_vm_writev: 271, kcmp: 272 },
    ...{ kill: 129, tkill: 130, rt_sigqueueinfo: 138, rt_tgsigqueueinfo: 240, move_pages: 239, migrate_pages: 238 },
    ...{ setpriority: 140, sched_setaffinity: 122, sched_setscheduler: 119, sched_setparam: 118, sched_setattr: 274 },
    ...{ ioprio_set: 30, socketpair: 199 },
    ...{ mount: 40, umount2: 39, pivot_root: 41, chroot: 51, unshare: 97, setns: 268 },
    ...{ bpf: 280, perf_event_open: 241, userfaultfd: 282, keyctl: 219, add_key: 217, request_key: 218 },
    ...{ memfd_create: 279, open_by_handle_at: 265, name_to_handle_at: 264, vmsplice: 75, personality: 92 },
    ...{ shmget: 194, shmat: 196, shmctl: 195, msgget: 186, semget: 190, mq_open: 180 },
    ...{ init_module: 105, finit_module: 273, delete_module: 106, kexec_load: 104, kexec_file_load: 294, reboot: 142 },
    ...{ swapon: 224, swapoff: 225, acct: 89, syslog: 116, quotactl: 60 },
    ...{
      settimeofday: 170,
      clock_settime: 112,
      adjtimex: 171,
      clock_adjtime: 266,
      sethostname: 161,
      setdomainname: 162,
    },
    ...{ fchmod: 52, fchmodat: 53, fchownat: 54, fchown: 55, utimensat: 88 },
    ...{ setxattr: 5, lsetxattr: 6, fsetxattr: 7, removexattr: 14, lremovexattr: 15, fremovexattr: 16 },
    ...{ inotify_init1: 26, fanotify_init: 262 },
    ...{ flock: 32, io_setup: 0, io_submit: 2 },
  },
}

export const SYSCALLS: Readonly<Partial<Record<string, Syscalls>>> = { x64: X64, arm64: ARM64 }
