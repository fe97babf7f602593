// The walls that there are, the strongest first. A new one is a file here, its row, and its export in `../launchers.ts`.
import { bubblewrap } from './bubblewrap.js'
import { denoOfApplication, findDependency, NO_TEXT } from './deno.js'
import { docker } from './docker.js'
import { landlock } from './landlock.js'
import type { Launcher } from './launcher.js'

export interface LauncherKind {
  readonly name: string
  /** How the option `wall` has it. */
  readonly call: string
  /** False if nothing but `call` takes it. */
  readonly isAutomatic: boolean
  /** What holds code in it, and what each process costs. */
  readonly about: string
  /** Why it is not enough for what is required, after its name. */
  readonly weakness?: string
  /** Why it does not count for code as text, and scripts. */
  readonly noText?: string
  /** Returns the name or path of its program. */
  readonly program: () => string | undefined
  /** @throws {LauncherUnavailable} if it does not work on this machine */
  readonly create: () => Promise<Launcher>
}

const KERNEL = { isAutomatic: true, about: 'held by the kernel, some 40 MiB each' }
const BY_CALL = { isAutomatic: false, about: 'held by the kernel, never taken by itself' }
const PODMAN = "await docker({ docker: 'podman' })"

export const LAUNCHERS: readonly LauncherKind[] = [
  { ...KERNEL, name: 'bubblewrap', call: 'await bubblewrap()', program: () => 'bwrap', create: bubblewrap },
  { ...KERNEL, name: 'landlock', call: 'await landlock()', program: () => 'setpriv', create: landlock },
  {
    ...{ name: 'deno', call: 'await deno()', program: findDependency, create: denoOfApplication, noText: NO_TEXT },
    ...{ isAutomatic: true, about: 'checks in the process, not of packages, some 80 MiB each' },
    // Deno lets `import` and `require` read all below any `node_modules`, and follow links there: those of other projects, too.
    weakness: 'lets code read the packages of all projects of the user',
  },
  { ...BY_CALL, name: 'docker', call: 'await docker()', program: () => 'docker', create: docker },
  { ...BY_CALL, name: 'podman', call: PODMAN, program: () => 'podman', create: () => docker({ docker: 'podman' }) },
]
