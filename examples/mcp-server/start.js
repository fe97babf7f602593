// @ts-check
// An MCP client: starts the server, lists its tools and calls them, as the host of a language model does.
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { fileURLToPath } from 'node:url'

const client = new Client({ name: 'start', version: '1.0.0' })
const args = [fileURLToPath(new URL('./server.js', import.meta.url))]
await client.connect(new StdioClientTransport({ command: process.execPath, args, stderr: 'ignore' }))
try {
  const { tools } = await client.listTools()
  for (const { name, description } of tools) console.log(`${name}: ${description}`)
  await call('notes__search', { text: 'guard' })
  await call('words__count', { text: 'a small door' })
  await call('words__count', {})
  await call('greedy__list', {})
} finally {
  await client.close()
}

/** @param {string} name @param {Record<string, unknown>} args */
async function call(name, args) {
  const { content, isError } = await client.callTool({ name, arguments: args })
  const [block] = content
  const text = block?.type === 'text' ? block.text : ''
  console.log(`${name} ${JSON.stringify(args)}: ${isError ? 'ERROR ' : ''}${text.split('\n')[0]}`)
}
