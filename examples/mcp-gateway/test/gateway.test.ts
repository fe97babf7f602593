// The gateway in this process: what a person allows, and what the walls keep all the same.
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { RIGHTS, startGateway } from '../gateway.js'
import { hasWall } from './wall.js'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

async function start(directory: string, approve: (text: string) => boolean) {
  const [notes, home] = [join(directory, 'notes'), join(directory, 'home')]
  for (const path of [notes, home]) mkdirSync(path, { recursive: true })
  copyFileSync(`${import.meta.dirname}/../notes/door.txt`, join(notes, 'door.txt'))
  const bus = await startGateway({ notes, home, approve })
  closers.push(() => bus.close())
  return { bus, agent: await bus.connect('agent', { allow: RIGHTS }), note: join(notes, 'door.txt'), home }
}

function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'gateway-'))
  closers.push(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

describe.runIf(hasWall)('the gateway', () => {
  test('asks before a tool runs, and what a person allows stays within the wall', async () => {
    const asked: string[] = []
    const { agent, note } = await start(makeDirectory(), text => asked.push(text) > 0)
    const before = readFileSync(note, 'utf8')
    await expect(agent.invoke('plugin:files|write_file', { path: note, content: '' })).rejects.toThrow('EROFS')
    expect(asked).toEqual([expect.stringContaining('agent wants to call plugin:files|write_file')])
    expect(readFileSync(note, 'utf8')).toBe(before)
  }, 60_000)

  test('a tool that the agent has no right for is denied by its name, too', async () => {
    const { agent } = await start(makeDirectory(), () => true)
    await expect(agent.invoke('plugin:everything|get-env')).rejects.toMatchObject({ reason: 'Denied' })
  }, 60_000)

  test('keeps what the memory has between two starts, and refuses a tool that differs from the pin', async () => {
    const directory = makeDirectory()
    const first = await start(directory, () => true)
    const entities = [{ name: 'door', entityType: 'part', observations: ['small'] }]
    await first.agent.invoke('plugin:memory|create_entities', { entities })
    await first.bus.close()
    const pin = join(first.home, 'mcp.lock.json')
    writeFileSync(pin, readFileSync(pin, 'utf8').replace(/"description": "Echoes[^"]*"/, '"description": "Another"'))
    const { agent } = await start(directory, () => true)
    expect(await agent.invoke('plugin:memory|read_graph')).toMatchObject({ structuredContent: { entities } })
    await expect(agent.invoke('plugin:everything|echo', { message: 'x' })).rejects.toThrow(
      'The tool "echo" of the MCP server "everything" was refused',
    )
  }, 120_000)
})
