// Who else runs where a value crosses: the dimension of ways and sizes that a busy machine has.
import type { Bus, FrontendOptions } from '../../src/index.js'

export const COMPANY = ['nobody', 'neighbours', 'a stopped core'] as const
export type Company = (typeof COMPANY)[number]

/** A script has a second by default. */
const COMPUTE_MS = 900
const NEIGHBOURS = ['neighbour-1', 'neighbour-2']
const COMPUTE = `
  import { expose } from '@sallyport/frontend'
  expose({ compute({ ms }) { for (const end = Date.now() + ms; Date.now() < end; ); } })`

/** Crosses beside neighbours of the same sandbox that compute as long as they may, or while core's thread is blocked at first. */
export async function crossBeside(
  company: Company,
  bus: Bus,
  sandbox: FrontendOptions['sandbox'],
  stopCore: (ms: number) => Promise<unknown>,
  cross: () => Promise<void>,
): Promise<void> {
  if (company === 'nobody') return cross()
  if (company === 'a stopped core') return void (await Promise.all([stopCore(COMPUTE_MS), cross()]))
  // Code as text is not trusted.
  const place = sandbox === undefined || sandbox === 'none' ? 'permission' : sandbox
  await Promise.all(NEIGHBOURS.map(label => bus.open(label, { source: COMPUTE }, { sandbox: place })))
  let isOver = false
  const compute = async (label: string): Promise<void> => {
    while (!isOver) await bus.call(label, 'compute', { ms: COMPUTE_MS }, { timeout: false })
  }
  const computing = Promise.all(NEIGHBOURS.map(compute))
  try {
    await cross()
  } finally {
    isOver = true
    await computing
    await Promise.all(NEIGHBOURS.map(label => bus.closeFrontend(label)))
  }
}
