// @ts-check
// The server program, for an MCP client to start: node server.js [configuration]. Standard output carries MCP and nothing else. The log
// and the output of plugins go to standard error.
import { serveMcp } from '@sallyport/mcp'
import { readFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { startPlugins } from './mcp-server.js'

const [, , path] = process.argv
const file = path === undefined ? new URL('./plugins.json', import.meta.url) : pathToFileURL(path)
const { bus, allow } = await startPlugins(JSON.parse(await readFile(file, 'utf8')), file)
const info = { name: 'sallyport-plugins', version: '1.0.0' }
const service = await serveMcp(bus, { label: 'mcp-client', allow, transport: 'stdio', info })
await service.closed // by the client
await bus.close()
