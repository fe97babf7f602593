// A frontend in a wall: what it asks the system for, and what fills a limit.
import { mkdirSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import { expose } from '@sallyport/frontend'

const attempt = action => {
  try {
    return action()
  } catch (error) {
    return `${error.code}: ${error.message}`
  }
}

expose({
  ask: () => ({
    home: attempt(() => os.homedir()),
    user: attempt(() => os.userInfo().username),
    interfaces: attempt(() => os.networkInterfaces()),
    pages: new WebAssembly.Memory({ initial: 1, maximum: 16, shared: true }).grow(1),
  }),
  /** Throws later, outside of the call, if there is not enough memory. */
  allocate({ bytes }) {
    setTimeout(() => (globalThis.held = Buffer.alloc(bytes, 1)))
  },
  /** Makes empty files, in directories of 1000. */
  makeFiles({ count }) {
    for (let index = 0; index < count; index++) {
      const directory = `/tmp/${Math.floor(index / 1000)}`
      if (index % 1000 === 0) mkdirSync(directory, { recursive: true })
      writeFileSync(`${directory}/${index}`, '')
    }
    return count
  },
})
