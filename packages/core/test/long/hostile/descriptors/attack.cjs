// What a process does with its descriptors whose runtime an attacker has taken over. Its text is run by `node -e`, before a call of `attack`.
// Each mode is done to each of the descriptors; then the process prints a line, and stays unless the mode has ended it.
// The runtime replaces some functions when it starts.
const { closeSync, fstatSync, openSync, writeSync } = require('node:fs')
const { Socket } = require('node:net')
const { randomBytes } = require('node:crypto')
const { spawn } = require('node:child_process')

const toFrame = (kind, text, length = Buffer.byteLength(text)) => {
  const head = Buffer.alloc(5)
  head.writeUInt32LE(length)
  head[4] = kind
  return Buffer.concat([head, Buffer.from(text)])
}
const call = (id, method, params = {}) => JSON.stringify({ jsonrpc: '2.0', id, method, params })

/** The type of a record with data. */
const DATA = 0xf9
/** True if what is written to standard output is for the stream of reports: records of up to 16 KiB. */
let isWrapped = false
function toRecords(bytes) {
  const records = []
  for (let at = 0; at < bytes.length; at += 2 ** 14) {
    const data = bytes.subarray(at, at + 2 ** 14)
    const head = Buffer.alloc(9)
    head[4] = DATA
    head.writeUInt32LE(data.length, 5)
    records.push(head, data)
  }
  return Buffer.concat(records)
}

/** Writes what the descriptor takes. Returns false once it takes no more for now. */
function write(fd, bytes) {
  const written = isWrapped && fd === 1 ? toRecords(Buffer.from(bytes)) : bytes
  try {
    return writeSync(fd, written) === written.length
  } catch {
    return false
  }
}

/** Writes for as long as the process lives, and takes turns with the other descriptors. */
const flood = (fds, bytes) => {
  const pass = () => {
    for (const fd of fds) for (let i = 0; i < 64 && write(fd, bytes); i++);
    setImmediate(pass)
  }
  pass()
}

const each = act => fds => {
  for (const fd of fds) act(fd)
}
const writes = (...parts) => each(fd => parts.forEach(part => write(fd, part)))
const floods = bytes => fds => flood(fds, bytes)
const close = fd => {
  try {
    closeSync(fd)
  } catch {
    // It was closed before.
  }
}

const MODES = {
  'random bytes': fds => writes(randomBytes(2 ** 16))(fds),
  text: writes('GET / HTTP/1.1\r\nHost: core\r\n\r\n'),
  'a frame of each kind': writes(...Array.from({ length: 256 }, (_, kind) => toFrame(kind, '{}'))),
  'a body of 4 GiB': writes(toFrame(1, '', 0xffff_ffff)),
  'a body of 60 MiB, which it sends': fds => {
    writes(toFrame(5, '', 60 * 2 ** 20))(fds)
    flood(fds, Buffer.alloc(2 ** 16))
  },
  'half a header': writes(toFrame(1, '').subarray(0, 3)),
  'half a header, and exits': fds => {
    writes(toFrame(1, '').subarray(0, 3))(fds)
    setImmediate(() => process.exit(3))
  },
  'half a body': writes(toFrame(1, '{"jsonrpc"', 1000)),
  'half a body, and is killed': fds => {
    writes(toFrame(5, Buffer.alloc(2000), 9e6))(fds)
    setImmediate(() => process.kill(process.pid, 'SIGKILL'))
  },
  'states in the wrong order': writes(
    ...['loaded', 'synchronized', 'pong'].map(type => toFrame(1, JSON.stringify({ type }))),
    ...['stopped', 'ready', 'failed', '__proto__'].map(state => toFrame(1, JSON.stringify({ type: 'state', state }))),
  ),
  'calls under another label': writes(
    toFrame(1, call(1, 'greet', { name: 'x', label: 'other', __proto__: { label: 'other' } })),
    toFrame(
      1,
      call(2, 'plugin:event|emit_to', { target: { kind: 'Webview', label: 'other' }, event: 'x', payload: 1 }),
    ),
    toFrame(1, call('host', 'result', {})),
  ),
  'a flood of calls': floods(toFrame(1, call(1, 'greet', { name: 'x'.repeat(1000) }))),
  'a flood of pongs': floods(toFrame(1, '{"type":"pong"}')),
  'a flood of empty frames': floods(Buffer.concat(Array.from({ length: 500 }, () => toFrame(1, '')))),
  'a flood of bytes': floods(toFrame(5, Buffer.alloc(2 ** 16))),
  'a flood of records': floods(toFrame(3, Buffer.alloc(2 ** 12))),
  'nothing, and reads nothing': () => {},
  'an end of one direction': each(fd => {
    try {
      new Socket({ fd }).on('error', () => {}).end()
    } catch {
      // Not each descriptor is a socket.
    }
  }),
  'an end': each(close),
  'an end, and other files at its descriptors': fds => {
    fds.forEach(close)
    // The lowest free numbers.
    const opened = fds.map(() => openSync('/dev/null', 'r+'))
    for (const fd of opened) write(fd, 'text')
    for (const fd of fds) {
      try {
        closeSync(openSync(`/proc/self/fd/${fd}`, 'r+'))
      } catch {
        // A wall without /proc.
      }
    }
  },
  'a child that keeps them': fds => {
    const stdio = Array.from({ length: Math.max(...fds) + 1 }, (_, fd) => (fds.includes(fd) ? fd : 'ignore'))
    try {
      spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'], { stdio, detached: true }).on('error', () => {})
    } catch {
      // The wall refuses it, or there are no such descriptors.
    }
    setTimeout(() => process.exit(4), 50)
  },
}

/** Descriptors of sockets and pipes that the process has. */
const getOpen = () =>
  Array.from({ length: 64 }, (_, fd) => fd).filter(fd => {
    try {
      const stats = fstatSync(fd)
      return stats.isSocket() || stats.isFIFO()
    } catch {
      return false
    }
  })

/** @param target - a descriptor, `reports`: those to the relay, within the records of the pipe, or `all` */
globalThis.attack = (mode, target) => {
  isWrapped = target === 'reports' || target === 'all'
  const fds = target === 'all' ? getOpen().filter(fd => fd !== 0) : [target === 'reports' ? 1 : target]
  if (target !== 'all' || mode !== 'nothing, and reads nothing') MODES[mode](fds)
  setInterval(() => {}, 1000)
}
globalThis.modes = Object.keys(MODES)
