// @ts-check
// A NATS server on loopback, on a free port.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Returns the path of the installed program, or undefined. */
export function findServer() {
  const { NATS_SERVER, PATH = '' } = process.env
  // Debian installs it in a directory that is often not in a user's PATH.
  const directories = [...PATH.split(delimiter), '/usr/sbin', '/usr/local/sbin']
  const places = NATS_SERVER ? [NATS_SERVER] : directories.map(directory => join(directory, 'nats-server'))
  return places.find(place => existsSync(place))
}

/** @type {import('node:child_process').ChildProcess | undefined} */
let server
/** @type {Promise<unknown> | undefined} */
let gone

/** Returns its URL. @returns {Promise<string>} */
export async function start() {
  const program = findServer()
  if (!program) throw new Error('program not found. Install it, or set NATS_SERVER to its path')
  const args = ['--addr', '127.0.0.1', '--port', '-1']
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'pipe'] })
  server = child
  gone = once(child, 'exit').catch(() => {}) // it did not start
  let log = ''
  return new Promise((resolve, reject) => {
    // Reads the log until the end, because the server would block on a full pipe.
    child.stderr.on('data', text => {
      log += text
      const [, address] = /Listening for client connections on (\S+)/.exec(log) ?? []
      if (address && log.includes('Server is ready')) resolve(`nats://${address}`)
    })
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`${program} has ended:\n${log}`)))
  })
}

export async function end() {
  server?.kill()
  await gone
}
