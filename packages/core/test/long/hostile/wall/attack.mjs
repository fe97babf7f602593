// A frontend that has left Node's permission model, or is in Deno, and tries what an attacker would. Each attempt returns if it succeeds.
import { spawn } from 'node:child_process'
import dgram from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import fs from 'node:fs'
import inspector from 'node:inspector'
import net from 'node:net'
import os from 'node:os'
import { expose, getData } from '@sallyport/frontend'
import { moreAttempts } from './more-attempts.mjs'

const check = isDone => {
  if (!isDone) throw new Error('refused')
}
const { kill, debugProcess, setPriority } = globalThis.saved ?? {
  kill: (pid, signal) => check(process.kill(pid, signal)),
  debugProcess: pid => process._debugProcess(pid),
  setPriority: os.setPriority,
}
const { directory, secret, host, victims, port, udpPort, address, socket, abstract, ownsCode } = getData()

const connect = options => once(net.connect(options), 'connect')
/** Any bytes of a file whose size is unknown. */
const readSome = path => {
  const fd = fs.openSync(path, 'r')
  if (fs.readSync(fd, Buffer.alloc(64)) === 0) throw new Error('nothing to read')
}
const openForWriting = path => fs.closeSync(fs.openSync(path, 'r+'))
const write = path => {
  fs.writeFileSync(path, Buffer.alloc(2 ** 20))
  fs.rmSync(path)
}
const run = async (command, args) => {
  const [code] = await once(spawn(command, args, { stdio: 'ignore' }), 'exit')
  if (code !== 0) throw new Error(`exit code ${code}`)
}
const file = name => `${directory}/${name}`

const attempts = {
  'read a private key': () => readSome(secret),
  'see that a private key exists': () => fs.statSync(secret),
  'list the directory of a private key': () => fs.readdirSync(directory),
  'read the list of users': () => {
    if (fs.readFileSync('/etc/passwd', 'latin1').split('\n').length < 3) throw new Error('only its own')
  },
  'list the directories of users': () => fs.readdirSync('/home'),
  "read the host's environment": () => readSome(`/proc/${host}/environ`),
  "read the host's command line": () => readSome(`/proc/${host}/cmdline`),
  "list the host's descriptors": () => fs.readdirSync(`/proc/${host}/fd`),
  "open the host's memory": () => openForWriting(`/proc/${host}/mem`),
  'see the processes of the machine': () => {
    if (fs.readdirSync('/proc').filter(name => name > 0).length < 8) throw new Error('only its own')
  },
  "read the kernel's command line": () => readSome('/proc/cmdline'),
  'list the disks of the machine': () => readSome('/proc/partitions'),
  'open a device that is memory': () => openForWriting('/dev/zero'),
  'signal the host': () => kill(host, 0),
  'kill a process of the user': () => kill(victims[0], 9),
  'ask a process of the user to end': () => kill(victims[1], 15),
  'open the inspector of a process': () => debugProcess(victims[2]),
  'change the priority of a process': () => setPriority(victims[3], 15),
  'connect to localhost': () => connect({ port, host: '127.0.0.1' }),
  'connect to an address of the machine': () => connect({ port, host: address }),
  'send a datagram': async () => {
    const sender = dgram.createSocket('udp4')
    const answered = once(sender, 'message')
    // A failure to bind is an event.
    sender.send('data', udpPort, '127.0.0.1')
    await answered
    sender.close()
  },
  'ask a name server': async () => {
    const resolver = new Resolver({ timeout: 30_000, tries: 1 })
    resolver.setServers([`127.0.0.1:${udpPort}`])
    // The server answers with a failure.
    await resolver.resolve4('example.com').catch(error => {
      if (error.code !== 'ESERVFAIL') throw error
    })
  },
  'accept connections': () => once(net.createServer().listen(0), 'listening'),
  'open its own inspector': () => {
    inspector.open(0)
    if (!inspector.url()) throw new Error('not opened')
  },
  'connect to a socket in a directory': () => connect({ path: socket }),
  'connect to an abstract socket': () => connect({ path: abstract }),
  'run a shell': () => run('/bin/sh', ['-c', 'exit 0']),
  'run Node without the permission model': () => run(process.execPath, ['-e', '']),
  'start 20 processes': () => Promise.all(Array.from({ length: 20 }, () => run(process.execPath, ['-v']))),
  'write to /tmp': () => write(`/tmp/attack-${process.pid}`),
  'write to /var/tmp': () => write(`/var/tmp/attack-${process.pid}`),
  'write to /dev/shm': () => write(`/dev/shm/attack-${process.pid}`),
  'write to its working directory': () => write('attack'),
  "append to the user's file": () => fs.appendFileSync(file('append'), 'x'),
  "truncate the user's file": () => fs.truncateSync(file('truncate')),
  "rename the user's file": () => fs.renameSync(file('rename'), file('renamed')),
  "delete the user's file": () => fs.rmSync(file('delete')),
  "change the mode of the user's file": () => fs.chmodSync(file('mode'), 0o777),
  "change the times of the user's file": () => fs.utimesSync(file('times'), 0, 0),
  "link the user's file": () => fs.linkSync(file('link'), file('linked')),
  "watch the user's files": () => fs.watch(directory).close(),
  'change its own module': () => openForWriting(new URL(import.meta.url)),
}

/** Files in /proc that are not those of a process. */
function openMachineFile(directory) {
  for (const entry of fs.readdirSync(directory, { withFileTypes: true })) {
    const path = `${directory}/${entry.name}`
    if (entry.isDirectory() && !(entry.name > 0)) openMachineFile(path)
    // The file name is the error, so that the search ends.
    else if (entry.isFile() && canOpen(path)) throw Object.assign(new Error(path), { opened: path })
  }
}
const canOpen = path => {
  try {
    openForWriting(path)
    return true
  } catch {
    return false
  }
}

/** Only root can do these. */
const rootAttempts = {
  'open a file of the kernel for writing': () => {
    try {
      openMachineFile('/proc')
    } catch ({ opened }) {
      if (opened) return
    }
    throw new Error('none')
  },
  'become another user': () => process.setgid(65533),
  'change settings of the kernel': () => openForWriting('/proc/sys/kernel/core_pattern'),
  "read the kernel's log": () => openForWriting('/dev/kmsg'),
  'change cgroups': () => fs.rmdirSync(fs.mkdtempSync('/sys/fs/cgroup/memory/attack-')),
  'read the list of passwords': () => readSome('/etc/shadow'),
}

async function attempt(action) {
  const timeout = new Promise((_, reject) => setTimeout(reject, 40_000, new Error('timeout')).unref())
  try {
    await Promise.race([action(), timeout])
    return 'succeeded'
  } catch (error) {
    return error.code ?? error.message
  }
}

expose({
  async attackMore() {
    const outcomes = {}
    for (const [name, action] of Object.entries(moreAttempts)) outcomes[name] = await attempt(action)
    return outcomes
  },
  async attack() {
    const all = { ...attempts, ...(getData().isRoot && rootAttempts) }
    if (!address) delete all['connect to an address of the machine']
    if (!ownsCode) delete all['change its own module']
    const outcomes = {}
    for (const [name, action] of Object.entries(all)) outcomes[name] = await attempt(action)
    return outcomes
  },
})
