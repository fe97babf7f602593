// Loaded with `--require` into every thread of the soak. In the thread of the relays it measures that thread's memory, and leaks on purpose.
const { BroadcastChannel, isMainThread } = require('node:worker_threads')

/** Each makes the relay of every further process leave something behind. */
const leaks = {
  relays: ({ childProcess }) =>
    replace(
      childProcess,
      'spawn',
      spawn =>
        (...args) =>
          keep(spawn(...args)),
    ),
  sockets: ({ childProcess, dgram }) =>
    replace(childProcess, 'spawn', spawn => (...args) => {
      keep(dgram.createSocket('udp4')).bind(0, '127.0.0.1').unref()
      return spawn(...args)
    }),
  directories: ({ fs }) => replace(fs, 'rmdirSync', remove => path => isCgroup(path) && remove(path)),
  cgroups: ({ fs }) => replace(fs, 'rmdirSync', remove => path => isCgroup(path) || remove(path)),
}

const kept = []
const keep = value => kept[kept.push(value) - 1]
const isCgroup = path => path.startsWith('/sys/fs/cgroup/')
const replace = (module, name, wrap) => (module[name] = wrap(module[name]))

function serve() {
  const channel = new BroadcastChannel('relays')
  const modules = { childProcess: require('node:child_process'), dgram: require('node:dgram'), fs: require('node:fs') }
  channel.unref()
  async function measureMemory() {
    const { memory } = await import('./memory.mjs')
    channel.postMessage({ memory: await memory() })
  }
  // Other threads of relays send their messages to this one, too.
  channel.onmessage = ({ data: { leak, measure } }) => {
    if (leak) leaks[leak](modules)
    if (measure) void measureMemory()
  }
  channel.postMessage({ started: true })
}

// Node sets the program of a thread after it has loaded this file.
setImmediate(() => !isMainThread && /[\\/]relay\.cjs$/.test(process.argv[1]) && serve())
