// Frontends in processes come and go for as long as the host lives, so whatever one of them leaves behind is a leak.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fixture, start } from '../../support/start.js'

/** Includes zombies. */
function children(): string[] {
  const stats = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(readStat)
  return stats.filter(stat => Number(stat.split(') ').at(-1)!.split(' ')[1]) === process.pid)
}

function readStat(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return ''
  }
}

const CGROUPS = '/sys/fs/cgroup/memory'
const cgroups = (): string[] =>
  existsSync(CGROUPS) ? readdirSync(CGROUPS).filter(name => name.startsWith(`sallyport-${process.pid}-`)) : []

const descriptors = (): string[] => readdirSync('/proc/self/fd')

test.runIf(process.platform === 'linux').each(['none', 'auto'] as const)(
  'fifty ended frontends leave no process, descriptor, directory or cgroup, wall: %s',
  { timeout: 180_000 },
  async wall => {
    const directory = mkdtempSync(join(tmpdir(), 'come-and-go-'))
    const before = process.env['TMPDIR']
    process.env['TMPDIR'] = directory
    try {
      const bus = await start()
      const open = async (label: string): Promise<void> => {
        await bus.open(label, fixture('sandboxes/ends.mjs'), { sandbox: { kind: 'process', wall, memory: 1000 } })
        if (wall === 'none') expect(await bus.call<string>(label, 'cwd')).toContain(directory)
      }
      await open('first')
      await bus.closeFrontend('first')
      const [processes, files] = [children().length, descriptors().length]
      for (let round = 0; round < 13; round++) {
        const labels = ['one', 'two', 'three', 'four']
        await Promise.all(labels.map(open))
        const ends = [bus.call('one', 'ends', { how: 'spin' }), bus.call('two', 'ends', { how: 'abort' })]
        await Promise.allSettled([...ends, ...labels.map(label => bus.closeFrontend(label))])
      }
      // The first frontend can have left something for a moment.
      await expect.poll(() => children().length).toBeLessThanOrEqual(processes)
      await expect.poll(() => descriptors().length).toBeLessThanOrEqual(files)
      await expect.poll(() => readdirSync(directory)).toEqual([])
      expect(cgroups()).toEqual([])
    } finally {
      rmSync(directory, { recursive: true })
      if (before === undefined) delete process.env['TMPDIR']
      else process.env['TMPDIR'] = before
    }
  },
)
