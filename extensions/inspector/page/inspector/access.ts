// The section on access. It asks core when another frontend is selected, when core has restarted, and on request.
import type { ShownAccess, CommandAccess } from '../../src/contract/views.js'
import { getById, setText } from './dom.js'
import type { ShowSnapshot } from './follow.js'
import { clock, count } from './figures.js'
import { createTable, type Column } from './table.js'

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
  const frontend = getById('whose', HTMLSelectElement)
  const command = getById('which', HTMLInputElement)
  const summary = getById('capabilities', HTMLElement)
  const showRows = createTable(getById('access', HTMLTableElement), 'Access', COLUMNS, row => row.command)
  let access: ShownAccess | undefined
  let shownFor = ''
  let requests = 0

  const render = (): void => {
    const part = command.value.toLowerCase()
    const rows = access?.commands.filter(row => row.command.toLowerCase().includes(part)) ?? []
    showRows(rows, access?.error === undefined && access ? 'None.' : '')
  }
  const load = async (): Promise<void> => {
    const label = frontend.value
    const request = ++requests
    if (!label) {
      access = undefined
      setText(summary, 'There is no frontend.')
      return render()
    }
    const query = new URLSearchParams({ token, label })
    const answer = await fetch(`access?${query}`).then(
      response => (response.ok ? (response.json() as Promise<ShownAccess>) : undefined),
      () => undefined,
    )
    if (request !== requests) return
    access = answer
    setText(summary, summarize(label, answer))
    render()
  }
  frontend.addEventListener('change', () => void load())
  command.addEventListener('input', render)
  getById('refresh', HTMLButtonElement).addEventListener('click', () => void load())
  let followed: string | undefined
  return ({ frontends, core, bus, selected }) => {
    setOptions(frontend, frontends.map(({ label }) => label).toSorted())
    if (selected !== followed && selected !== undefined && frontends.some(({ label }) => label === selected)) {
      frontend.value = selected
    }
    followed = selected
    const key = JSON.stringify([frontend.value, core.restarts, core.state, bus])
    if (key === shownFor) return
    shownFor = key
    void load()
  }
}

function summarize(label: string, access: ShownAccess | undefined): string {
  if (!access) return 'No answer.'
  if (access.error !== undefined) return `It is not known what ${label} may call: ${access.error}`
  const names = access.capabilities.join(', ') || 'none'
  const more = access.more > 0 ? ` ${count(access.more)} further commands are not shown.` : ''
  return `Capabilities of ${label}: ${names} (${clock(Date.now())}).${more}`
}

/** Sets the options of a select. The selected one stays selected if it is still there. */
function setOptions(select: HTMLSelectElement, values: readonly string[]): void {
  const current = [...select.options].map(({ value }) => value)
  if (current.length === values.length && current.every((value, i) => value === values[i])) return
  const selected = select.value
  select.replaceChildren(...values.map(value => new Option(value, value)))
  if (values.includes(selected)) select.value = selected
}
