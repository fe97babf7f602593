// npm run attempts: runs each file in `ways` in each of `places`, by each version of Node.js, and writes docs/reference/attempts.md.
// Exit code 1: a sandbox of Sallyport let something through that its documentation does not call open.
import { execFileSync, fork, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer as createWebServer } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { inside } from './inside.mjs'
import { writePage } from './page.mjs'
import { places } from './places.mjs'

/** Most of their time they wait. */
const AT_ONCE = 4
const DEADLINE_MS = 30_000
/** For a host to end by itself after its answer. */
const END_MS = 5000
const here = name => fileURLToPath(new URL(name, import.meta.url))

const { values: options } = parseArgs({
  options: {
    node: { type: 'string', default: '20,24' },
    ways: { type: 'string', default: '' },
    place: { type: 'string', default: '' },
    print: { type: 'boolean', default: false },
  },
})
mkdirSync(here('homes'), { recursive: true })
/** Beside our node_modules, where a frontend finds the client. */
const homes = mkdtempSync(here('homes/'))
const baits = mkdtempSync(join(tmpdir(), 'attempts-'))
const running = new Set()
process.on('exit', () => {
  for (const { host, victim } of running) endAll(host, victim)
  for (const path of [homes, baits]) rmSync(path, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))

/** Ends a process with its group. */
function endAll(host, victim) {
  victim.kill('SIGKILL')
  try {
    process.kill(-Number(host.pid), 'SIGKILL')
  } catch {
    // It has ended.
  }
}

const isAsked = (list, name) => list === '' || list.split(',').includes(name)

/** The program of a version of Node.js: this one, or that of the package `node`. */
function findNode(version) {
  if (process.versions.node.split('.')[0] === version) return process.execPath
  const args = ['-y', '-p', `node@${version}`, 'node', '-p', 'process.execPath']
  return execFileSync('npx', args, { encoding: 'utf8', cwd: tmpdir() }).trim()
}

async function readWays() {
  const files = readdirSync(here('ways')).toSorted()
  return Promise.all(files.map(async file => ({ name: file.replace('.mjs', ''), ...(await import(`./ways/${file}`)) })))
}

/** What a try can reach: files, servers and a process, with a secret of its own. */
async function createBait(secret) {
  const directory = mkdtempSync(join(baits, 'bait-'))
  const home = mkdtempSync(join(homes, 'home-'))
  const file = join(directory, 'a-private-name')
  const module = join(directory, 'node_modules/package/secret.json')
  mkdirSync(join(module, '..'), { recursive: true })
  writeFileSync(file, secret)
  for (const path of [module, join(directory, 'secret.json')]) writeFileSync(path, JSON.stringify({ secret }))
  symlinkSync(file, join(home, 'link'))
  symlinkSync(directory, join(home, 'linked-directory'))
  const found = process.report.getReport().sharedObjects.find(path => /libm[.-]/.test(path) && existsSync(path))
  const library = found && join(home, 'library.node')
  if (library) copyFileSync(found, library)

  const hits = { port: 0, redirect: 0, datagram: 0, abstract: 0 }
  const web = createWebServer((_, response) => response.end('reached')).on('connection', () => hits.port++)
  const redirecting = createWebServer((_, response) =>
    response.writeHead(302, { location: `http://127.0.0.1:${web.address().port}/` }).end(),
  ).on('connection', () => hits.redirect++)
  // As long as there can be: versions of Node.js differ in how they end a shorter one.
  const abstract = `\0attempts-${randomUUID()}`.padEnd(108, 'x')
  const servers = [web.listen(0, '127.0.0.1'), redirecting.listen(0, '127.0.0.1')]
  servers.push(
    createServer(socket => socket.end())
      .on('connection', () => hits.abstract++)
      .listen(abstract),
  )
  const datagrams = createSocket('udp4').on('message', () => hits.datagram++)
  await Promise.all([...servers, datagrams.bind(0, '127.0.0.1')].map(server => once(server, 'listening')))
  const victim = spawn('sleep', ['1000'])
  const ports = {
    port: web.address().port,
    redirect: redirecting.address().port,
    datagramPort: datagrams.address().port,
  }
  return {
    facts: { directory, home, file, module, library, abstract, victim: victim.pid, ...ports },
    hits,
    victim,
    close() {
      for (const server of servers) server.close().closeAllConnections?.()
      datagrams.close()
    },
  }
}

/** Runs one attempt in one place, in a host of its own. The deadlines only mark what has not ended, and end the group of that host. */
async function tryOnce(node, place, way) {
  const secret = randomUUID()
  const mark = randomUUID()
  const bait = await createBait(secret)
  const { home, directory } = bait.facts
  const host = fork(here('host.mjs'), {
    ...{ execPath: node, execArgv: place.flags ?? [], cwd: directory, detached: true },
    ...{ env: { ...process.env, SECRET_OF_THE_HOST: secret }, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] },
  })
  const one = { host, victim: bait.victim }
  running.add(one)
  let result
  let errors = ''
  host.stderr.on('data', chunk => (errors = (errors + chunk).slice(-300)))
  host.once('message', message => (result = message))
  const facts = { ...bait.facts, host: host.pid }
  const code = `const facts = ${JSON.stringify(facts)}\nconst way = ${String(way.default)}\n${String(inside)}`
  host.send({ place: place.name, code, home, facts, grants: way.grants, mark }, () => {})
  // A message can come after the exit, but not after the end of its channel.
  const ended = Promise.all([once(host, 'exit'), once(host, 'disconnect')]).then(() => true)
  const after = ms => new Promise(resolve => setTimeout(resolve, ms, false).unref())
  const hasAnswered = once(host, 'message').then(() => true)
  const isLate = !(await Promise.race([ended, hasAnswered, after(DEADLINE_MS)]))
  const hostEnded = !result && !isLate
  const runsOn = Boolean(result) && !(await Promise.race([ended, after(END_MS)]))
  // By now a victim that was killed has ended.
  const victimEnded = bait.victim.exitCode !== null || bait.victim.signalCode !== null
  endAll(host, bait.victim)
  await ended
  running.delete(one)
  const exists = name => existsSync(join(directory, name))
  const seen = { answer: '', ...result, secret, mark, exists, victimEnded, hostEnded, runsOn, hits: bait.hits }
  bait.close()
  // A list of hosts that leads nowhere would hold all.
  const isFailure = seen.isFailure || (way.grants && place.hasHosts && bait.hits.redirect === 0)
  return { word: judge(way, seen, isLate), detail: seen.error ?? errors, isFailure, isUnavailable: seen.isUnavailable }
}

function judge(way, seen, isLate) {
  if (way.reached(seen)) return 'reached'
  if (isLate) return 'did not end'
  if (seen.hostEnded) return 'ended the host'
  return seen.isMissing ? 'not possible here' : 'held'
}

const control = { name: 'control', default: async () => 'it runs', reached: ({ answer }) => answer === 'it runs' }
const WRONG = ['reached', 'did not end', 'ended the host']

/** Returns the words of each attempt in a place, or why it cannot run here, and adds to `findings`. */
async function tryAll(node, version, place, ways, findings) {
  const first = await tryOnce(node, place, control)
  if (first.word !== 'reached') {
    const [reason] = first.detail.split('\n')
    const line = `Node.js ${version}, ${place.name}: not on this machine (${reason})`
    console.log(line)
    // A sandbox that starts nothing holds all.
    if (place.isOurs && !first.isUnavailable) findings.push(line)
    return { reason }
  }
  const words = {}
  const waiting = [...ways]
  const tryNext = async () => {
    for (let way = waiting.shift(); way; way = waiting.shift()) {
      const { word, detail, isFailure } = await tryOnce(node, place, way)
      words[way.name] = word
      const line = `Node.js ${version}, ${place.name}, ${way.name}: ${word}${detail ? ` (${detail.split('\n')[0]})` : ''}`
      console.log(line)
      const isOpen = place.open?.includes('*') || place.open?.includes(way.name)
      if (place.isOurs && (isFailure || (WRONG.includes(word) && !isOpen))) findings.push(line)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, tryNext))
  return { words }
}

const ways = (await readWays()).filter(({ name }) => isAsked(options.ways, name))
const asked = places.filter(({ name }) => new RegExp(options.place).test(name))
const findings = []
const results = []
for (const version of options.node.split(',')) {
  const node = findNode(version)
  for (const place of asked) {
    results.push({ version, node, place, ...(await tryAll(node, version, place, ways, findings)) })
  }
}
// A page of a part would have lost the rest.
const isWhole = options.ways === '' && options.place === ''
if (isWhole && !options.print) writePage(ways, asked, results)
for (const finding of findings) console.log(`finding: ${finding}`)
process.exitCode = findings.length > 0 ? 1 : 0
