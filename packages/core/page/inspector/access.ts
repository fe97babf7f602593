// Who may call what: asked of core where another frontend is chosen, core was started again, or somebody wants to know.
import type { Access, CommandAccess } from '../../src/host/inspector/snapshot.js'
import { byId, setOptions, setText } from './dom.js'
import type { Snapshot } from './follow.js'
import { clock, count } from './format.js'
import type { Part } from './part.js'
import { createTable, type Column } from './table.js'

const MAY: Readonly<Record<CommandAccess['access'], string>> = {
  allowed: '✓ allowed',
  open: '✓ open to all',
  denied: '✕ denied',
  closed: '– not allowed',
}

const TONES: typeof MAY = { allowed: 'good', open: 'good', denied: 'bad', closed: 'soft' }

const COLUMNS: readonly Column<CommandAccess>[] = [
  { title: 'Command', isWords: true, cell: ({ command }) => command },
  {
    title: 'May be called',
    isWords: true,
    cell: ({ access }) => ({
      text: MAY[access],
      tone: `short ${TONES[access]}`,
    }),
  },
  { title: 'By', about: 'Capability and permission', isWords: true, cell: ({ by }) => by },
  { title: 'Scope', isWords: true, cell: ({ scope }) => scope },
]

export function createAccess(token: string): Part {
  const [whose, which] = [byId('whose', HTMLSelectElement), byId('which', HTMLInputElement)]
  const said = byId('capabilities', HTMLElement)
  const table = createTable(byId('access', HTMLTableElement), 'Who may call what', COLUMNS, ({ command }) => command)
  let access: Access | undefined
  let asked = ''
  let asking = 0

  const render = (): void => {
    const wanted = which.value.toLowerCase()
    const shown = access?.commands.filter(({ command }) => command.toLowerCase().includes(wanted)) ?? []
    table.show(shown, access ? 'None.' : '')
  }
  const ask = async (): Promise<void> => {
    const [label, own] = [whose.value, ++asking]
    if (!label) {
      access = undefined
      setText(said, 'There is no frontend.')
      return render()
    }
    const query = new URLSearchParams({ token, label })
    const answer = await fetch(`access?${query}`).then(
      response => (response.ok ? (response.json() as Promise<Access>) : undefined),
      () => undefined,
    )
    if (own !== asking) return
    access = answer
    setText(said, sentenceOf(label, answer))
    render()
  }
  whose.addEventListener('change', () => void ask())
  which.addEventListener('input', render)
  byId('again', HTMLButtonElement).addEventListener('click', () => void ask())
  return {
    show({ frontends, core, bus }: Snapshot) {
      setOptions(whose, frontends.map(({ label }) => label).toSorted())
      const now = JSON.stringify([whose.value, core.restarts, core.state, bus])
      if (now === asked) return
      asked = now
      void ask()
    },
  }
}

function sentenceOf(label: string, access: Access | undefined): string {
  if (!access) return 'Nobody answers.'
  if (access.error !== undefined) return `Core does not say: ${access.error}`
  const names = access.capabilities.join(', ') || 'none'
  const more = access.more > 0 ? ` ${count(access.more)} commands more are not shown.` : ''
  return `Capabilities of ${label}: ${names}. As of ${clock(Date.now())}.${more}`
}
