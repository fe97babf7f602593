// What was refused, and what went wrong: the latest first.
import { byId } from './dom.js'
import type { Snapshot } from './follow.js'
import { clock, count } from './format.js'
import type { Part } from './part.js'
import { createTable, type Column } from './table.js'

type Happening = NonNullable<Snapshot['news']>['refusals'][number]

const BAD: readonly string[] = ['fault', 'failed']

const columns = (what: string): readonly Column<Happening>[] => [
  { title: 'Who', isWords: true, cell: ({ label }) => label },
  {
    title: 'Kind',
    isWords: true,
    cell: ({ kind }) => ({ text: kind, tone: BAD.includes(kind) ? 'bad short' : 'short' }),
  },
  { title: what, isWords: true, cell: ({ what: name }) => name },
  { title: 'Why', isWords: true, cell: ({ why }) => why },
  { title: 'How often', cell: happening => count(happening.count) },
  { title: 'Last', cell: ({ at }) => clock(at) },
]

const keyOf = ({ kind, label, what, why }: Happening): string => JSON.stringify([kind, label, what, why])

export function createNews(): Part {
  const refused = createTable(byId('refused', HTMLTableElement), 'Denied and rejected', columns('Command'), keyOf)
  const troubled = createTable(byId('troubled', HTMLTableElement), 'Faults and restarts', columns('Of'), keyOf)
  return {
    show({ news }) {
      if (!news) return
      refused.show(news.refusals, 'None.')
      troubled.show(news.troubles, 'None.')
    },
  }
}
