// The bus over NATS: core is an instance of it, and another thread joins, as another process would. In the isolation pattern
// that has a gate besides.
import { createBus } from '@sallyport/core'
import { fileURLToPath } from 'node:url'
import type { Arm, OpenArm } from '../arm.js'
import type { Joining } from '../workers/nats-joined.js'
import { allOf } from './capabilities.js'
import { useNatsServer } from './nats-server.js'
import { startWorker, threadArm, workerUrl } from './thread.js'

const LABEL = 'main'

const natsBusArm = (id: string, title: string, hook?: 'check'): Arm => ({
  id,
  title,
  carries: 'JSON-RPC text',
  checks: ['authority', ...(hook ? ['hook'] : []), 'records'],
  open: async () => {
    const { url, release } = await useNatsServer()
    try {
      const { measure, close } = await openOver(url, id, hook)
      const end = async (): Promise<void> => {
        await close()
        await release()
      }
      return { measure, close: end }
    } catch (error) {
      await release()
      throw error
    }
  },
})

async function openOver(url: string, bus: string, hook: 'check' | undefined): Promise<OpenArm> {
  // A side from before it has none, and measures all else.
  const { createBusSecret, issueCredential, natsNetwork } = await import('@sallyport/nats')
  const nats = { servers: url }
  const secret = createBusSecret()
  // It goes to a thread: a URL can't.
  const dir = fileURLToPath(new URL(`../../hooks/${hook}/`, import.meta.url))
  const pattern = hook ? { use: 'isolation' as const, options: { dir } } : { use: 'brownfield' as const }
  const core = await createBus({
    core: workerUrl('bus-core'),
    network: natsNetwork({ nats, bus, secret }),
    log: false,
    app: { security: { pattern, capabilities: [allOf(LABEL)] } },
  })
  const joining: Joining = {
    options: { nats, bus, app: { security: { pattern } } },
    label: LABEL,
    credential: issueCredential(secret, { label: LABEL }),
  }
  const joined = threadArm(startWorker('nats-joined', joining))
  return { measure: joined.measure, close: async () => void (await Promise.all([joined.close(), core.close()])) }
}

export const natsJson: Arm = natsBusArm('nats-json', 'NATS JSON')
export const isolationNatsJson: Arm = natsBusArm('isolation-nats-json', 'isolation, NATS JSON', 'check')
