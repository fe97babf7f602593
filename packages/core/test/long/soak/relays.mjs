// The threads of relays, and what a process takes outside of threads: sockets, directories and cgroups.
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BroadcastChannel } from 'node:worker_threads'

/** Makes a directory for all that this program and its processes put into the temporary directory. It is removed at the exit. */
export function useOwnDirectory() {
  const directory = mkdtempSync(join(tmpdir(), 'soak-'))
  process.env.TMPDIR = directory
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
}

const channel = new BroadcastChannel('relays')
channel.unref()

/** Makes the relays of processes that start from now on leave something behind. */
export const leakInRelays = leak => channel.postMessage({ leak })

/** Such a thread runs until its bus closes. */
let threads = 0
let onMemory
channel.onmessage = ({ data: { started, memory } }) => {
  if (started) threads++
  else onMemory(memory)
}

/** Resolves with the memory of each thread of relays. */
export async function measureRelays() {
  const all = []
  const measured = new Promise(resolve => {
    onMemory = memory => all.push(memory) === threads && resolve()
  })
  channel.postMessage({ measure: true })
  await measured
  return all
}

const MAX_DEPTH = 8

function countCgroups(directory = '/sys/fs/cgroup', depth = 0) {
  const names = orNone(() => readdirSync(directory, { withFileTypes: true })).filter(each => each.isDirectory())
  const own = names.filter(({ name }) => name.startsWith(`sallyport-${process.pid}-`))
  if (depth === MAX_DEPTH) return own.length
  return names.reduce((sum, { name }) => sum + countCgroups(join(directory, name), depth + 1), own.length)
}

function orNone(read) {
  try {
    return read()
  } catch {
    return []
  }
}

/** Sockets are those of processes and their relays: threads have other descriptors. */
const countSockets = () =>
  readdirSync('/proc/self/fd').filter(id =>
    orNone(() => readlinkSync(`/proc/self/fd/${id}`))
      .toString()
      .startsWith('socket:'),
  ).length

export const countOfProcesses = () => ({
  sockets: countSockets(),
  directories: readdirSync(tmpdir()).length,
  cgroups: countCgroups(),
})
