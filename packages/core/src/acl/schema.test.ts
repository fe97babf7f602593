// Schemas accept JSON values only; an error names the place of any other value.
import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { checkPlain, toCapability, toPermissionFile } from './schema.js'

const from = 'main.json'

const holder: Record<string, unknown> = {}
holder['self'] = [holder]
let deep: unknown = 1
for (let level = 0; level < 200; level++) deep = [deep]

test('what JSON cannot hold is refused, and its place named', () =>
  rows<[value: unknown, got: string]>([
    [new Date(0), 'allow[1]: .* got Date'],
    [new Map(), 'allow[1]: .* got Map'],
    [new URL('file:///tmp'), 'allow[1]: .* got URL'],
    [new Uint8Array(1), 'allow[1]: .* got Uint8Array'],
    [1n, 'allow[1]: .* got bigint'],
    [Infinity, 'allow[1]: .* got Infinity'],
    [() => 1, 'allow[1]: .* got function'],
    [undefined, 'allow[1]: .* got undefined'],
    [{ a: { b: [NaN] } }, 'allow[1].a.b[0]: .* got NaN'],
    [holder, 'allow[1].self[0]: .* got a circular reference'],
    [deep, 'allow[1](\\[0\\])+: .* got more than 128 levels'],
    [JSON.parse('{ "__proto__": 1 }'), 'allow[1]: .* got a key named "__proto__"'],
  ])((value, got) => {
    const entry = { identifier: 'allow-greet', allow: [1, value] }
    const text = new RegExp(`^main\\.json: ${got.replace(/\[(\d)\]/g, '\\[$1\\]')}$`)
    expect(() => checkPlain({ from, value: entry })).toThrow(text)
    const capability = { identifier: 'main', permissions: [entry] }
    expect(() => toCapability({ from, value: capability })).toThrow('permissions[0].allow[1]')
    const file = { permission: [{ identifier: 'x', scope: { allow: [1, value] } }] }
    expect(() => toPermissionFile({ from, value: file })).toThrow('permission[0].scope.allow[1]')
  }))

test('accepts one object in two places, and undefined members', () => {
  const twice = { path: '/tmp', mode: undefined }
  expect(() => checkPlain({ from, value: [twice, twice, null, true, 'x', -0, Object.create(null)] })).not.toThrow()
})

test('an entry of a capability can have keys that Tauri ignores, but no misspelt one', () => {
  // As in the capability of Jan, an app of Tauri.
  const entry = {
    identifier: 'opener:allow-open-url',
    description: 'links',
    windows: ['*'],
    allow: [{ url: 'https:*' }],
  }
  const read = (value: object) =>
    toCapability({ from, value: { identifier: 'main', permissions: [value] } }).permissions
  expect(read(entry)).toEqual([{ identifier: 'opener:allow-open-url', allow: [{ url: 'https:*' }] }])
  expect(() => read({ ...entry, dney: [] })).toThrow('permissions[0]: unknown key "dney" (did you mean "deny"?)')
})
