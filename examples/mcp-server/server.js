// @ts-check
// The server program, for an MCP client to start: node server.js [configuration]. Standard output carries MCP and nothing else. The log
// and the output of plugins go to standard error.
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { readFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { createMcpServer } from './mcp-server.js'

const [, , path] = process.argv
const file = path === undefined ? new URL('./plugins.json', import.meta.url) : pathToFileURL(path)
const { server, close } = await createMcpServer(JSON.parse(await readFile(file, 'utf8')), file)
process.stdin.once('end', () => void close()) // the client has closed the connection
await server.connect(new StdioServerTransport())
