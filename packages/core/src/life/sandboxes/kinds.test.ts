import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import { sandboxSchema } from './kinds.js'

const sources = new URL('../../', import.meta.url)
const list = 'none|permission|process|quickjs'
/** A comparison with a kind, a list or a text that names it, and a function that asks for it. */
const MENTIONS = [
  new RegExp(`(?:kind|sandbox)\\w*\\b.*(['"\`])(?:${list})\\1`, 'i'),
  new RegExp(`case (['"\`])(?:${list})\\1`),
  new RegExp(`\\b(?:is|has)(?:${list})(?:Sandbox)?\\(`, 'i'),
]

function findMentions(source: string): string[] {
  const code = source.replaceAll(/^\s*(?:\/\*[^]*?\*\/|\/\/.*$)/gm, '')
  return code.split('\n').filter(line => MENTIONS.some(mention => mention.test(line)))
}

test('finds mentions of a kind', () =>
  rows([
    "if (config.sandbox.kind !== 'none') return",
    "    case 'process':",
    'const hasRelay = isProcess(sandbox)',
    'const text = \'Use sandbox: "permission"\'',
  ])(line => expect(findMentions(line)).toEqual([line])))

test('no other file of core names a kind', () => {
  const mentions = readdirSync(sources, { recursive: true, encoding: 'utf8' })
    .filter(path => /(?<!\.test|\.test-d)\.ts$/.test(path) && !path.startsWith(join('life', 'sandboxes')))
    .flatMap(path => findMentions(readFileSync(new URL(path, sources), 'utf8')).map(line => `${path}: ${line}`))
  expect(mentions).toEqual([])
})

test('names the kinds that there are', () =>
  rows([
    ['sand', '"none", "permission", "process", "quickjs" or { kind, … }'],
    [{ kind: 'sand' }, '"permission", "process" or "quickjs"'],
    [{ kind: 'none' }, '"permission", "process" or "quickjs"'],
    [{ kind: 'quickjs', process: 1 }, 'true or false'],
    ['deno', "{ kind: 'process', wall: … } with await deno(), of '@sallyport/core/launchers'"],
    ['podman', "{ kind: 'process', wall: … } with await docker({ docker: 'podman' }), of '@sallyport/core/launchers'"],
    [{ kind: 'docker' }, "{ kind: 'process', wall: … } with await docker(), of '@sallyport/core/launchers'"],
  ])((sandbox, message) => expect(v.safeParse(sandboxSchema, sandbox).issues?.[0].message).toBe(message)))
