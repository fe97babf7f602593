// The section on access. It asks core when another frontend is selected, when core has restarted, and on request.
import type { ShownAccess, CommandAccess } from '../../src/contract/views.js'
import { getById, setText } from './dom.js'
import type { ShowSnapshot } from './follow.js'
import { clock, count } from './figures.js'
import { type Column, Table } from './table.js'

const ACCESS: Readonly<Record<CommandAccess['access'], { text: string; tone: string }>> = {
  allowed: { text: '✓ allowed', tone: 'short good' },
  denied: { text: '✕ denied', tone: 'short bad' },
  closed: { text: '– not allowed', tone: 'short soft' },
}

const COLUMNS: readonly Column<CommandAccess>[] = [
  { title: 'Command', getValue: ({ command }) => command },
  {
    title: 'May be called',
    getValue: ({ access }) => ACCESS[access].text,
    getTone: ({ access }) => ACCESS[access].tone,
  },
  { title: 'By', about: 'Capability and permission', getValue: ({ by }) => by },
  { title: 'Scope', getValue: ({ scope }) => scope },
]

export function createAccess(token: string): ShowSnapshot {
  const command = getById('which', HTMLInputElement)
  const summary = getById('capabilities', HTMLElement)
  const table = new Table(getById('access', HTMLTableElement), 'Access', COLUMNS, row => row.command)
  let label: string | undefined
  let access: ShownAccess | undefined
  let shownFor: string | undefined
  let requests = 0

  const render = (): void => {
    const part = command.value.toLowerCase()
    const rows = access?.commands.filter(row => row.command.toLowerCase().includes(part)) ?? []
    table.show(rows, access?.error === undefined && access ? 'None.' : '')
  }
  const load = async (): Promise<void> => {
    const request = ++requests
    const answer = label === undefined ? undefined : await askFor(new URLSearchParams({ token, label }))
    if (request !== requests) return
    access = answer
    setText(summary, label === undefined ? 'Choose a frontend to see what it may call.' : summarize(label, answer))
    render()
  }
  command.addEventListener('input', render)
  getById('refresh', HTMLButtonElement).addEventListener('click', () => void load())
  return ({ core, bus, selected }) => {
    label = selected
    const key = JSON.stringify([selected, core.restarts, core.state, bus])
    if (key === shownFor) return
    shownFor = key
    void load()
  }
}

const askFor = (query: URLSearchParams): Promise<ShownAccess | undefined> =>
  fetch(`access?${query}`).then(
    response => (response.ok ? (response.json() as Promise<ShownAccess>) : undefined),
    () => undefined,
  )

function summarize(label: string, access: ShownAccess | undefined): string {
  if (!access) return 'No answer.'
  if (access.error !== undefined) return `It is not known what ${label} may call: ${access.error}`
  const names = access.capabilities.join(', ') || 'none'
  const more = access.more > 0 ? ` ${count(access.more)} further commands are not shown.` : ''
  return `Capabilities of ${label}: ${names} (${clock(Date.now())}).${more}`
}
