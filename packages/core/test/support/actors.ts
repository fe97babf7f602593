// Starts a bus whose core has actors, for the tests of `@sallyport/core/xstate`.
import { createBus, type Bus } from '../../src/index.js'
import { definitionIn, fixture } from './start.js'

const ALL = ['light', 'counter', 'once', 'blind'].flatMap(name => [`${name}:allow-send`, `${name}:allow-subscribe`])

const module = fixture('observability/actors.mjs')

/** @param inThread - true to run core in this thread: the library takes longer to load than most tests to run */
export const startActors = async (inThread = false): Promise<Bus> =>
  createBus({
    core: inThread ? await definitionIn(module) : module,
    log: false,
    supervision: { delay: { min: 10 } },
    app: {
      security: {
        capabilities: [
          { identifier: 'all', windows: ['main', 'follower'], permissions: ALL },
          { identifier: 'watch', windows: ['watcher'], permissions: ['light:allow-subscribe'] },
          { identifier: 'app', windows: ['main'], permissions: ['allow-exit', 'allow-count-up', 'allow-looks'] },
        ],
      },
    },
  })

/** Returns the error of a call, or the text of its result if it resolves. */
export const refused = (call: Promise<unknown>): Promise<unknown> => call.then(String, (error: unknown) => error)
