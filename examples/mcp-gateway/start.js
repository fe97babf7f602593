// @ts-check
// An MCP client: starts the gateway, lists the tools that it may call, and calls them, as the host of a language model does.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'

const path = (/** @type {string} */ name) => fileURLToPath(new URL(name, import.meta.url))
const notes = path('./notes')
const home = mkdtempSync(join(tmpdir(), 'gateway-'))
const client = new Client({ name: 'start', version: '1.0.0' })
const args = [path('./server.js'), notes, home]
try {
  await client.connect(new StdioClientTransport({ command: process.execPath, args, stderr: 'ignore' }))
  const { tools } = await client.listTools()
  console.log(`${tools.length} tools: ${tools.map(({ name }) => name).join(', ')}`)
  await call('files__read_text_file', { path: join(notes, 'door.txt') })
  await call('files__write_file', { path: join(notes, 'door.txt'), content: '' })
  const entities = [{ name: 'door', entityType: 'part', observations: ['small'] }]
  await call('memory__create_entities', { entities })
  await call('memory__delete_entities', { entityNames: ['door'] })
  await call('everything__echo', { message: 'Hello' })
  await call('everything__get-env', {})
} finally {
  await client.close()
  rmSync(home, { recursive: true, force: true })
}

/** @param {string} name @param {Record<string, unknown>} given */
async function call(name, given) {
  try {
    const { content, isError } = await client.callTool({ name, arguments: given })
    const [block] = content
    const text = block?.type === 'text' ? block.text : ''
    console.log(`${name}: ${isError ? 'ERROR ' : ''}${text.split('\n')[0]}`)
  } catch (error) {
    console.log(`${name}: ${/** @type {Error} */ (error).message}`)
  }
}
