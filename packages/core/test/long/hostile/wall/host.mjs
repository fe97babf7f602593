// A host whose frontend is not under Node's permission model, so only the wall is between it and the machine. Prints the outcomes.
// Arguments: `plain`, or `bubblewrap` and the id of a user for the process; `deno` or `deno in bubblewrap`, and the path of the program.
import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer as createWebServer } from 'node:http'
import { createServer } from 'node:net'
import { homedir, hostname, networkInterfaces, tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createBus, defineCore } from '@sallyport/core'
import { bubblewrap, deno } from '@sallyport/core/launchers'

const [kind, argument] = process.argv.slice(2)
const uid = kind === 'bubblewrap' && argument !== undefined ? { uid: Number(argument) } : {}
const outer = kind.endsWith('bubblewrap') ? await bubblewrap(uid) : undefined
const inDeno = kind.startsWith('deno') ? await deno({ deno: argument, inside: outer }) : undefined
const saved = fileURLToPath(new URL('saved.cjs', import.meta.url))

/** Takes the permission model away, and starts what is left in the wall. */
const launcher = {
  name: 'loose',
  launch(command, args, info) {
    const flags = args.filter(arg => !/^--(experimental-)?permission$|^--allow-/.test(arg))
    const all = ['--require', saved, ...flags]
    return outer ? outer.launch(command, all, info) : { command, args: all }
  },
}

const directory = mkdtempSync(join(tmpdir(), 'wall-'))
const file = name => join(directory, name)
for (const name of ['append', 'truncate', 'rename', 'delete', 'mode', 'times', 'link'])
  writeFileSync(file(name), 'text')
writeFileSync(file('id_ed25519'), 'PRIVATE KEY', { mode: 0o600 })
for (const [name, text] of [
  ['secret.json', '{}'],
  ['outside.mjs', 'export default 1'],
  ['outside.cjs', 'module.exports = 1'],
])
  writeFileSync(file(name), text)

const abstract = `\0wall-${process.pid}`
const servers = [createServer().listen(0), createServer().listen(file('socket')), createServer().listen(abstract)]
const udp = createSocket('udp4').bind(0, '127.0.0.1')
const web = createWebServer((_, response) => response.end('export default 1')).listen(0, '127.0.0.1')
await Promise.all([...servers, web, udp].map(server => once(server, 'listening')))
udp.on('message', (query, { port }) => {
  // Its header, as a response with the code SERVFAIL.
  const answer = Buffer.from(query)
  if (answer.length > 3) answer.writeUInt16BE(0x8182, 2)
  udp.send(answer, port, '127.0.0.1')
})
const victims = Array.from({ length: 4 }, () =>
  spawn(process.execPath, ['-e', "console.log('runs'); setInterval(() => {}, 1e6)"], {
    stdio: ['ignore', 'pipe', 'ignore'],
  }),
)
// Until Node handles the signal that opens its inspector, it ends the process.
await Promise.all(victims.map(({ stdout }) => once(stdout, 'data')))
const address = Object.values(networkInterfaces())
  .flat()
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address

const bus = await createBus({ core: defineCore({}), log: false })
try {
  const data = {
    ...{ directory, secret: file('id_ed25519'), host: process.pid, victims: victims.map(({ pid }) => pid) },
    ...{ port: servers[0].address().port, udpPort: udp.address().port, socket: file('socket'), abstract, address },
    ...{ webPort: web.address().port, user: userInfo().username, hostname: hostname(), home: homedir() },
    isRoot: process.getuid() === 0,
    ownsCode: [0, statSync(saved).uid].includes(process.getuid()),
  }
  await bus.open('attack', new URL('attack.mjs', import.meta.url), {
    data,
    sandbox: { kind: 'process', wall: inDeno ?? launcher },
  })
  const outcomes = await bus.call('attack', 'attack', undefined, { timeout: 120_000 })
  const more = await bus.call('attack', 'attackMore', undefined, { timeout: 120_000 })
  const survivors = victims.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
  console.log(JSON.stringify({ outcomes, more, survivors: survivors.length }))
} finally {
  for (const victim of victims) victim.kill('SIGKILL')
  for (const server of [...servers, web, udp]) server.close()
  await bus.close({ timeout: 0 })
  rmSync(directory, { recursive: true, force: true })
}
