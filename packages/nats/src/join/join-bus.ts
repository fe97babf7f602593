// Joins a bus over NATS: connects, and puts together what its frontends and connections need.
import { createSatellite, type Satellite } from '@sallyport/core/network'
import { randomBytes } from 'node:crypto'
import { connectNats } from '../connection.js'
import { createFaults } from '../faults.js'
import type { NatsLink } from '../link/nats-link.js'
import { Far } from './far.js'
import { Discovery } from './discovery.js'
import { splitOptions, type JoinOptions } from './join-options.js'
import { JoinedBus } from './joined-bus.js'
import { createKeyring } from './keyring.js'
import type { Home } from './opening.js'
import { Post } from './post.js'
import { Spreads } from './spreads.js'

/** Milliseconds from one question which instances there are to the next. */
const LOOK_EVERY_MS = 3000
/** What faults of the connection are told under: no label has a space. */
const NATS = 'nats connection'

/**
 * Joins a bus whose core runs elsewhere: this process may run frontends in workers, with their gates, and its thread may call.
 * Resolves once core has taken each of `frontends`.
 *
 * @throws BusError `InvalidParams` for an option or a credential that can't be right, `Disconnected` where no server of NATS or no
 * core answers, `Denied` where the server or core refuses
 * @example
 * const joined = await joinBus({ nats: { servers: 'nats://127.0.0.1:4222' }, bus: 'shop', credentials: [credential] })
 * try { … } finally { await joined.close() }
 */
export async function joinBus(options: JoinOptions): Promise<JoinedBus> {
  const { own, others } = splitOptions(options)
  const { nats, bus, heartbeat } = own
  const keyring = createKeyring(own.credentials)
  const links = new Set<NatsLink>()
  let satellite: Satellite | undefined
  const faults = createFaults((label, error) => satellite?.fault(label, error))
  const connection = await connectNats('joinBus', nats, heartbeat, {
    down: error => links.forEach(link => link.lost(error)),
    up: () => discovery.ask(),
    fault: error => faults.tell(NATS, error),
  })
  const client = randomBytes(16).toString('hex')
  const post = new Post(connection, bus, client)
  const discovery = new Discovery({ connection, post, bus, every: LOOK_EVERY_MS })
  const pattern = others.app?.security?.pattern?.use ?? 'brownfield'
  const home: Home = { connection, post, bus, client, pattern, heartbeat, links, faults }
  const far = new Far(home, keyring)
  try {
    await connection.flush()
    satellite = await createSatellite(others, far, { where: 'joinBus', name: 'joined' })
    const spreads = new Spreads({ satellite, far, discovery, isUp: () => connection.isUp })
    return new JoinedBus({ satellite, spreads, connection, faults })
  } catch (error) {
    await connection.close()
    throw error
  }
}
