// Who may call what, as core has it now: what was added and removed at run time counts.
import type { AccessKind, ExplainedCommand } from '../../authority/explain.js'
import { printable } from './printable.js'
import type { BusView } from './view.js'

const MOST = 2000
const MAX_NAME = 200
const MAX_SCOPE = 500

export interface CommandAccess {
  command: string
  access: AccessKind
  /** Capability and permission. */
  by: string
  /** As JSON. */
  scope: string
}

export interface Access {
  /** Core did not say. */
  error?: string
  capabilities: readonly string[]
  commands: readonly CommandAccess[]
  /** Commands that are not told of. */
  more: number
}

export async function accessOf(view: BusView, label: string): Promise<Access> {
  try {
    const { capabilities, commands } = await view.explain(label)
    return {
      capabilities: capabilities.slice(0, MOST).map(name => printable(name, MAX_NAME)),
      more: Math.max(0, commands.length - MOST),
      commands: commands
        .toSorted((one, other) => rank(one) - rank(other))
        .slice(0, MOST)
        .map(({ command, access, by, scope }) => ({
          command: printable(command, MAX_NAME),
          access,
          by: printable(by.map(({ capability, permission }) => `${capability}: ${permission}`).join(', '), MAX_SCOPE),
          scope: scope ? printable(JSON.stringify(scope), MAX_SCOPE) : '',
        })),
    }
  } catch (error) {
    return { error: printable((error as Error).message, MAX_SCOPE), capabilities: [], commands: [], more: 0 }
  }
}

/** What is open to all of core's own comes last: of it there is nothing to decide. */
const rank = ({ command, access }: ExplainedCommand): number =>
  Number(access === 'open' && command.startsWith('plugin:'))
