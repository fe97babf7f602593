// Loaded into the program of a comparison before its own code: appends the CPU time of its main thread, in µs, to a file when it exits.
import { appendFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

const file = process.env['SALLYPORT_BENCH_CPU_FILE']
if (file !== undefined && isMainThread) {
  process.on('exit', () => {
    // Since Node 23.9, without the threads that collect garbage and compile.
    const { threadCpuUsage } = process as Partial<{ threadCpuUsage: typeof process.cpuUsage }>
    const { user, system } = threadCpuUsage?.call(process) ?? process.cpuUsage()
    appendFileSync(file, `${user + system}\n`)
  })
}
