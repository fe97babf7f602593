// Loaded into the program of a comparison before its own code: appends to a file, when the process exits, the CPU time of its main thread in µs and
// its largest resident memory in KiB. With a directory for profiles, writes that of its main thread there.
import { appendFileSync, writeFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

const { SALLYPORT_COMPARE_USAGE_FILE: file, SALLYPORT_COMPARE_PROFILES: profiles } = process.env
if (file !== undefined && isMainThread) {
  process.on('exit', () => {
    // Since Node 23.9, without the threads that collect garbage and compile.
    const { threadCpuUsage } = process as Partial<{ threadCpuUsage: typeof process.cpuUsage }>
    const { user, system } = threadCpuUsage?.call(process) ?? process.cpuUsage()
    try {
      appendFileSync(file, `${user + system} ${process.resourceUsage().maxRSS}\n`)
    } catch {
      // Node's permission model lets the program write nothing there. Its figures count without these.
    }
  })
}

// Node 20 refuses --cpu-prof in NODE_OPTIONS.
if (profiles && isMainThread) {
  const { Session } = await import('node:inspector')
  const session = new Session()
  session.connect()
  session.post('Profiler.enable')
  session.post('Profiler.start')
  process.on('exit', () =>
    session.post('Profiler.stop', (_error, { profile }) =>
      writeFileSync(`${profiles}/${process.pid}.cpuprofile`, JSON.stringify(profile)),
    ),
  )
}
