// The bus with its inspector open, and a page that reads what it is told: here in the host's own thread, which a browser would
// not be in. Nobody looks between measurements, when the others have their turn.
import { get, type IncomingMessage } from 'node:http'
import type { Arm } from '../arm.js'
import { LABEL, startBus, talkTo } from './bus.js'
import { ringJson } from './links.js'

interface Page {
  /** Snapshots in which the frontend that measures has called. */
  readonly told: number
  close(): void
}

async function openPage(inspector: string): Promise<Page> {
  const url = new URL(inspector)
  url.pathname = '/feed'
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, { agent: false }, resolve).on('error', reject)
  })
  let told = 0
  let rest = ''
  response.setEncoding('utf8').on('data', (chunk: string) => {
    const messages = (rest + chunk).split('\n\n')
    rest = messages.pop()!
    told += messages.filter(hasCalls).length
  })
  return {
    get told() {
      return told
    },
    close: () => void response.destroy(),
  }
}

function hasCalls(message: string): boolean {
  const data = /^data: (.*)$/m.exec(message)?.[1]
  if (data === undefined) return false
  const { frontends } = JSON.parse(data) as { frontends: readonly { label: string; calls: number }[] }
  return frontends.some(({ label, calls }) => label === LABEL && calls > 0)
}

const inspectedArm = (id: string, title: string, isSeen: boolean): Arm => ({
  ...ringJson,
  id,
  title,
  open: async () => {
    const { bus, ready } = await startBus({ codec: 'json', link: 'ring' })
    const close = (): Promise<void> => bus.close({ timeout: 0 })
    try {
      const { measure } = await talkTo(bus)
      await ready
      const { url } = await bus.inspectServer()
      if (!isSeen) return { measure, close }
      return {
        close,
        measure: async (task, payload) => {
          const page = await openPage(url)
          try {
            const figures = await measure(task, payload)
            if (page.told === 0) throw new Error('the page was told of no calls')
            return figures
          } finally {
            page.close()
          }
        },
      }
    } catch (error) {
      await close()
      throw error
    }
  },
})

export const inspectorArms: readonly [Arm, ...Arm[]] = [
  { ...ringJson, id: 'off', title: 'no inspector' },
  inspectedArm('open', 'open, nobody looks', false),
  inspectedArm('page', 'one page', true),
]
