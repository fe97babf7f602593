// Loaded into the program of a comparison before its own code: appends to a file, when the process exits, the CPU time of its main thread in µs and
// its largest resident memory in KiB.
import { appendFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

const { SALLYPORT_COMPARE_USAGE_FILE: file } = process.env
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
