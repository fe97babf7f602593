// @ts-check
// A server of NATS on loopback, with a port that is free.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where it is installed, or undefined. */
export function findServer() {
  const { NATS_SERVER, PATH = '' } = process.env
  // Debian has it where a user's PATH may not look.
  const folders = [...PATH.split(delimiter), '/usr/sbin', '/usr/local/sbin']
  const places = NATS_SERVER ? [NATS_SERVER] : folders.map(folder => join(folder, 'nats-server'))
  return places.find(place => existsSync(place))
}

/** @type {import('node:child_process').ChildProcess | undefined} */
let server
/** @type {Promise<unknown> | undefined} */
let gone

/** Gives its URL. @returns {Promise<string>} */
export async function start() {
  const program = findServer()
  if (!program) throw new Error('there is none here. Install it, or say in NATS_SERVER where it is')
  const args = ['--addr', '127.0.0.1', '--port', '-1']
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'pipe'] })
  server = child
  gone = once(child, 'exit').catch(() => {}) // it has not even begun
  let log = ''
  return new Promise((resolve, reject) => {
    // Its log is read until it ends: it would die of a pipe that nobody reads.
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
