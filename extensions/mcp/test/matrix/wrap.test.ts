// Servers of npm, as users have them, start in the wall with the options of the page. It needs the registry. SALLYPORT_WRITE=1 writes the table.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { hasWall, makeDirectory } from '../start.js'
import { startWrap } from '../wrapping.js'

const PAGE = new URL('../../../../docs/guide/mcp-wrap.md', import.meta.url)
const [START, END] = ['<!-- servers -->\n', '<!-- /servers -->']

/** What is called without an account, in a directory with a note and a repository. */
const SERVERS: readonly (readonly [options: string, command: string, call?: string, args?: object])[] = [
  ['--read .', '@modelcontextprotocol/server-filesystem@2026.8.31 .', 'list_directory', { path: '.' }],
  ['--write . --env MEMORY_FILE_PATH=$PWD/memory.json', '@modelcontextprotocol/server-memory@2026.8.31', 'read_graph'],
  ['', '@modelcontextprotocol/server-everything@2026.8.31', 'echo', { message: 'hello' }],
  ['', '@modelcontextprotocol/server-sequential-thinking@2026.8.31'],
  ['--write .', '@cyanheads/git-mcp-server@2.15.3'],
  ['--net *', 'mcp-fetch-server@1.1.2'],
  ['', '@playwright/mcp@0.0.83'],
  ['--net context7.com', '@upstash/context7-mcp@4.1.1'],
  ['--net api.github.com --env GITHUB_PERSONAL_ACCESS_TOKEN', '@modelcontextprotocol/server-github@2025.4.8'],
  ['--net api.notion.com --env NOTION_TOKEN', '@notionhq/notion-mcp-server@2.5.2'],
  ['--net api.tavily.com --env TAVILY_API_KEY', 'tavily-mcp@0.2.22'],
  ['--net api.figma.com --env FIGMA_API_KEY', 'figma-developer-mcp@0.13.2 --stdio'],
  ['--net api.search.brave.com --env BRAVE_API_KEY', '@modelcontextprotocol/server-brave-search@0.6.2'],
  ['--net api.firecrawl.dev --env FIRECRAWL_API_KEY', 'firecrawl-mcp@3.26.0'],
  ['--net slack.com --env SLACK_BOT_TOKEN --env SLACK_TEAM_ID', '@modelcontextprotocol/server-slack@2025.4.25'],
  ['--read .', '@eslint/mcp@0.3.13'],
  ['', '@antv/mcp-server-chart@0.9.10'],
]

describe.runIf(hasWall)('servers of npm', () => {
  test('start with the options of the page', async () => {
    const [lines, wrong]: string[][] = [[], []]
    for (const server of SERVERS) {
      const line = await tryServer(...server).catch(
        (error: Error) => void wrong!.push(`${server[1]}: ${error.message}`),
      )
      if (line) lines!.push(line)
    }
    const table = ['| server | version | options | tools | called |', '|---|---|---|---:|---|', ...lines!, ''].join(
      '\n',
    )
    const page = readFileSync(PAGE, 'utf8')
    const before = page.slice(0, page.indexOf(START) + START.length)
    const written = `${before}${table}${page.slice(page.indexOf(END))}`
    if (process.env.SALLYPORT_WRITE) writeFileSync(PAGE, written)
    expect(wrong).toEqual([])
    expect(readFileSync(PAGE, 'utf8')).toBe(written)
  }, 3_600_000)
})

/** Returns its line of the table. */
async function tryServer(options: string, command: string, name?: string, args: object = {}): Promise<string> {
  const directory = makeDirectory()
  writeFileSync(join(directory, 'note.txt'), 'a note')
  execFileSync('git', ['init', '--quiet', directory])
  const words = [...options.split(' ').filter(Boolean), '--', 'npx', '-y', ...command.split(' ')]
  const variables = words.filter((_, at) => words[at - 1] === '--env').map(variable => [variable, 'a-key'])
  const placed = words.map(word => word.replace('$PWD', directory))
  const env = { ...(process.env as Record<string, string>), ...Object.fromEntries(variables) }
  const data = makeDirectory()
  const { client } = await startWrap(placed, data, { ...env, XDG_DATA_HOME: data }, {}, directory)
  const { tools } = await client.listTools()
  const result = name === undefined ? {} : await client.callTool({ name, arguments: args as Record<string, unknown> })
  expect(result, command).not.toMatchObject({ isError: true })
  await client.close()
  // Thousands of files: all of them in the end would take longer than a hook may.
  await rm(data, { recursive: true })
  const [spec = '', ...rest] = command.split(' ')
  const [, server, version] = /^(.+)@(.+)$/.exec(spec) ?? []
  const shown = [options, rest.length > 0 ? `-- … ${rest.join(' ')}` : ''].filter(Boolean).join(' ')
  return `| ${server} | ${version} | ${shown === '' ? 'none' : `\`${shown}\``} | ${tools.length} | ${name ?? ''} |`
}
