// A plugin that runs the uses of all packages, each when it is called.
import { expose } from '@sallyport/frontend'
import { denied, network, working } from './uses.mjs'

const uses = { ...working, ...denied, ...network }

expose({ use: async ({ name }) => JSON.stringify(await uses[name]()) })
