// No sandbox: the code runs in a plain worker, with all rights of the host.
import { spawnWorker } from '../workers/spawn.js'
import { getFrontendEntry } from './sandbox-config.js'
import type { SandboxKind } from './sandbox-kind.js'

export const noneKind: SandboxKind<'none'> = {
  isTrusted: true,
  resolve: ({ kind }) => ({
    kind,
    spawn: (start, host) => spawnWorker(getFrontendEntry(host), start),
    announce(label, announcements) {
      const text = 'Frontend runs without a sandbox: its code has all permissions of the host'
      announcements.once(`trust in ${label}`, log => log.warn({ label }, text))
    },
  }),
}
