// Attempts at what checks in a process can overlook. Some are possible in Deno alone, or in newer versions of Node.js: without a sandbox they fail there.
import { once } from 'node:events'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import { pathToFileURL } from 'node:url'
import { getData } from '@sallyport/frontend'

const { directory, secret, webPort, user, hostname, home } = getData()
const file = name => `${directory}/${name}`
const url = name => String(pathToFileURL(file(name)))
const equal = (value, expected) => {
  if (value !== expected) throw new Error('another')
}

export const moreAttempts = {
  'read by an import of JSON': () => import(url('secret.json'), { with: { type: 'json' } }),
  'read by a static import': async () => void (await import(`data:text/javascript,import "${url('outside.mjs')}"`)),
  'import a module outside': () => import(url('outside.mjs')),
  'require a module outside': () => createRequire(import.meta.url)(file('outside.cjs')),
  'import from the network': () => import(`http://127.0.0.1:${webPort}/module.js`),
  'read in a module of its own': async () => {
    const source = `import fs from 'node:fs'; fs.readFileSync(${JSON.stringify(secret)})`
    await import(`data:text/javascript,${encodeURIComponent(source)}`)
  },
  'start a worker with more rights': async () => {
    const { Worker } = await import('node:worker_threads')
    const source = `require('node:fs').readFileSync(${JSON.stringify(secret)}); require('node:worker_threads').parentPort.postMessage(1)`
    const worker = new Worker(source, { eval: true, execArgv: [] })
    await Promise.race([once(worker, 'message'), once(worker, 'error').then(([error]) => Promise.reject(error))])
  },
  'fetch from localhost': () => fetch(`http://127.0.0.1:${webPort}`),
  'open a WebSocket to localhost': () =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(`ws://127.0.0.1:${webPort}`)
      socket.onopen = resolve
      socket.onerror = ({ message }) => reject(new Error(message))
    }),
  'look up a name': async () => void (await (await import('node:dns/promises')).lookup('localhost.')),
  'know the user': () => equal(os.userInfo().username, user),
  'know the host': () => equal(os.hostname(), hostname),
  'know the home directory': () => equal(os.homedir(), home),
  'know the addresses': () => {
    const addresses = Object.values(os.networkInterfaces()).flat()
    if (addresses.every(({ internal }) => internal)) throw new Error('none')
  },
  'know the environment': () => {
    // The shell of a launcher sets the others.
    if (Object.keys(process.env).every(name => ['TZ', 'PWD', 'OLDPWD', 'SHLVL', '_'].includes(name)))
      throw new Error('none')
  },
  'load native code': () => process.dlopen({ exports: {} }, '/lib/x86_64-linux-gnu/libc.so.6'),
  'load native code by a foreign function': () =>
    globalThis.Deno.dlopen('libc.so.6', { getpid: { parameters: [], result: 'i32' } }),
  'open a database': async () => new (await import('node:sqlite')).DatabaseSync(file('database')),
  'keep data for other plugins': async () => {
    if (globalThis.localStorage) {
      localStorage.setItem('a', '1')
      return equal(localStorage.getItem('a'), '1')
    }
    const cache = await caches.open('x')
    await cache.put('http://x/', new Response('1'))
  },
  'read from a descriptor of the launcher': () => {
    for (let descriptor = 3; descriptor < 40; descriptor++) {
      try {
        if (fs.readSync(descriptor, Buffer.alloc(1)) >= 0) return
      } catch {
        // It is not open, or not a file.
      }
    }
    throw new Error('none')
  },
  'write outside by a link': () => {
    fs.symlinkSync(secret, './link')
    fs.writeFileSync('./link', 'x')
  },
}
