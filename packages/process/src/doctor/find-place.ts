// Where this process runs, as far as that decides whether a wall can be made, and the command that allows it there.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export type PlaceName = 'kubernetes' | 'podman' | 'docker' | 'ubuntu'

/** A place whose defaults deny namespaces. */
export interface Place {
  readonly name: PlaceName
  /** What the user runs there. The guide has narrower profiles. */
  readonly command: string
  /** Heading of the section in the page "Deploying" of the guide. */
  readonly section: string
}

const UNCONFINED = '{"type":"Unconfined"}'
const CONTAINER = `{"name":"NAME","securityContext":{"seccompProfile":${UNCONFINED},"appArmorProfile":${UNCONFINED}}}`

/** The innermost first: a pod is also a container. */
const PLACES: readonly (Place & { isHere(root: string, env: NodeJS.ProcessEnv): boolean })[] = [
  {
    name: 'kubernetes',
    section: 'Kubernetes',
    command: `kubectl patch deployment NAME --patch '{"spec":{"template":{"spec":{"containers":[${CONTAINER}]}}}}'`,
    isHere: (_root, env) => env['KUBERNETES_SERVICE_HOST'] !== undefined,
  },
  {
    name: 'podman',
    section: 'Podman',
    command: 'podman run --security-opt seccomp=unconfined …',
    isHere: root => existsSync(join(root, 'run/.containerenv')),
  },
  {
    name: 'docker',
    section: 'Docker',
    command: 'docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined …',
    isHere: root => existsSync(join(root, '.dockerenv')),
  },
  {
    name: 'ubuntu',
    section: 'Ubuntu',
    command:
      "printf 'abi <abi/4.0>,\\ninclude <tunables/global>\\nprofile bwrap /usr/bin/bwrap flags=(unconfined) { userns, }\\n' | " +
      'sudo tee /etc/apparmor.d/bwrap && sudo apparmor_parser -r /etc/apparmor.d/bwrap',
    isHere: root => readText(join(root, 'proc/sys/kernel/apparmor_restrict_unprivileged_userns')) === '1',
  },
]

/** @param root - the directory that is `/` */
export function findPlace(root = '/', env: NodeJS.ProcessEnv = process.env): Place | undefined {
  const found = PLACES.find(({ isHere }) => isHere(root, env))
  return found && { name: found.name, command: found.command, section: found.section }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return ''
  }
}
