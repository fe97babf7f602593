// A process under Node's permission model, if possible in a wall.
import type { ResourceLimits } from 'node:worker_threads'
import * as v from 'valibot'
import type { ModuleLocation } from '../../shared/locations.js'
import { netOrHosts, objectOfKind, processEntries, read, secrets } from './options.js'
import { type SandboxKind, toSandbox } from './sandbox.js'
import {
  checkNet,
  checkReads,
  checkSecrets,
  getModuleCode,
  joinGrants,
} from '@sallyport/process/internal/permission-model'
import type { Launcher } from '@sallyport/process/internal/launchers'
import { findEntry } from '../workers/spawn.js'
import { loadProcesses } from '../workers/process-host.js'

/** A separate process around a frontend, under the permission model too: see the page "Security in detail" of the documentation. */
export interface ProcessSandbox {
  /** A separate process. */
  kind: 'process'
  /** Lets the frontend read files and directories, in addition to its module's directory and the `node_modules` above it. */
  read?: readonly ModuleLocation[]
  /**
   * Lets the frontend change and read directories. Their size has no limit but the disk's. Without a wall, one with a link that leads out is
   * refused. Not for directories with code of the host.
   */
  write?: readonly ModuleLocation[]
  /**
   * Grants the network, or denies it, which is the default. The wall closes it; Node 25 and later denies it without a wall too. If
   * neither can, the network is open without this option, and `false` is refused.
   *
   * An array lists the hosts that `fetch`, `WebSocket`, `node:http`, `node:https`, and sockets of `node:net` and `node:tls` reach: `api.github.com`, `*.npmjs.org:443`, `*`. Without a port, an
   * entry is for 80 and 443; `:*` is for all. Private addresses are reached only if an entry is that IP address, or `localhost`.
   */
  net?: boolean | readonly string[]
  /**
   * Hides secrets, by the name of an environment variable: the frontend finds a placeholder in it, as `getSecret` returns it. The value replaces the placeholder in headers
   * of requests that `fetch` sends to these `hosts` over https. It needs `net` with the hosts.
   */
  secrets?: Readonly<Record<string, { readonly value: string; readonly hosts: readonly string[] }>>
  /**
   * Puts a wall around the process, which holds code that has left Node's permission model. `auto`: the strongest launcher of
   * `@sallyport/core/launchers` that works on this machine, or none. `required`: the same, but the frontend does not start without one.
   * `none`: no wall. An object is a launcher: one of `@sallyport/core/launchers`, or your own.
   *
   * @default 'auto'
   */
  wall?: 'auto' | 'required' | 'none' | Launcher
  /** Limits memory in MB, as flags of V8. A frontend that exceeds it ends with its process; the host continues. @default Node's limits */
  resourceLimits?: Omit<ResourceLimits, 'codeRangeSizeMb'>
  /** Limits the resident memory of the whole process, in MiB, from 40: Node alone takes 40 to 60. Needs Linux, or a launcher that holds it. */
  memory?: number
  /** Limits the share of one CPU core over 10 s: 0.5 is half of one. Needs Linux, or a launcher that holds it. */
  cpu?: number
  /** Limits the number of processes and threads. Node alone has about 10. Needs Linux, or a launcher that holds it. */
  pids?: number
  /**
   * Starts processes ahead, from 0 to 64, for frontends with the same sandbox and the same directory, and for
   * code as text: a frontend that takes one starts in a fraction of the time. Each is used once, and replaced in the background. They start
   * with the first such frontend and end with the bus. Each takes 10 to 20 MiB.
   *
   * @default 0
   */
  spares?: number
  /** Lets the frontend write to `/tmp`, in memory: that many MiB. Needs a wall of bubblewrap or Docker. By default it writes nothing. */
  tmp?: number
}

const schema = objectOfKind({
  kind: v.literal('process'),
  read,
  write: read,
  net: netOrHosts,
  secrets,
  tmp: v.optional(v.pipe(v.number('MiB'), v.gtValue(0, 'more than 0 MiB'))),
  ...processEntries,
})

/** @internal */
export const processKind: SandboxKind<'process', typeof schema> = {
  isTrusted: false,
  schema,
  async resolve(options, place, threads, hasText) {
    const processes = await loadProcesses(threads)
    const { createProcessConfig, explainOpenNet, getWriteGrants, ProcessPool, resolveWall } = processes
    const wall = await resolveWall(place, options, hasText ? processes.findTextWall : undefined)
    checkNet(place, options.net, explainOpenNet(wall.launcher))
    checkSecrets(place, options)
    const { kind, read, write } = options
    const modules = [import.meta.url, findEntry('@sallyport/frontend/process')]
    // Refuse what is missing before anything starts.
    checkReads(place, read)
    getWriteGrants(place, write, modules)
    const config = createProcessConfig(options, wall, (entry, start, core) => {
      checkReads(place, read)
      const code = getModuleCode(entry, start, read, core)
      const writes = getWriteGrants(place, write, modules, code.reads)
      return { ...code, reads: joinGrants([code.reads, { directories: writes.paths, files: [] }]), writes }
    })
    return toSandbox(kind, ProcessPool, config)
  },
}
