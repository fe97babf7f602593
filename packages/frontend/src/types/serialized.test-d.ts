// Checks the types against the table in docs/guide/commands.md.
import { expectTypeOf, test } from 'vitest'
import type { Serialized, Jsonify, Unpacked } from './serialized.js'

interface Tree {
  at: Date
  children: Tree[]
  parent?: Tree
}
type AnyJson = string | number | boolean | null | AnyJson[] | { [key: string]: AnyJson }
declare const brand: unique symbol
type Id = string & { readonly [brand]: true }
class Point {
  x = 1
  readonly #y = 2
  sum(): number {
    return this.x + this.#y
  }
}

test('JSON', () => {
  expectTypeOf<Jsonify<'a' | 1 | true | null>>().toEqualTypeOf<'a' | 1 | true | null>()
  expectTypeOf<Jsonify<Id>>().toEqualTypeOf<Id>()
  expectTypeOf<Jsonify<Date | URL>>().toEqualTypeOf<string>()
  expectTypeOf<Jsonify<bigint>>().toEqualTypeOf<never>()
  expectTypeOf<Jsonify<{ a: number; b?: string; c: Date[] }>>().toEqualTypeOf<{ a: number; b?: string; c: string[] }>()
  expectTypeOf<Jsonify<{ a: number | undefined; b: undefined; c(): void; d: symbol }>>().toEqualTypeOf<{ a?: number }>()
  expectTypeOf<Jsonify<{ [Symbol.iterator]: number; a: Date }>>().toEqualTypeOf<{ a: string }>()
  expectTypeOf<Jsonify<readonly [Date, undefined, (() => void)?]>>().toEqualTypeOf<readonly [string, null, null?]>()
  expectTypeOf<Jsonify<(number | undefined)[]>>().toEqualTypeOf<(number | null)[]>()
  expectTypeOf<Jsonify<Map<string, Date>>>().toEqualTypeOf<never>()
  expectTypeOf<
    Jsonify<{ set: Set<number>; re: RegExp; later: Promise<1>; bytes: Buffer; file: Blob }>
  >().toEqualTypeOf<{
    set: never
    re: never
    later: never
    bytes: Uint8Array
    file: never
  }>()
  expectTypeOf<Jsonify<{ name: string; message: string }>>().toEqualTypeOf<{ name: string; message: string }>()
  expectTypeOf<Jsonify<{ toJSON(): { at: Date } }>>().toEqualTypeOf<{ at: string }>()
  expectTypeOf<Jsonify<Point>>().toEqualTypeOf<{ x: number }>()
  expectTypeOf<Jsonify<{ any: any; unknown: unknown; never: never }>>().toEqualTypeOf<{
    any: any
    unknown: unknown
    never: never
  }>()
  expectTypeOf<Jsonify<Record<string, Date>>>().toEqualTypeOf<Record<string, string>>()
  expectTypeOf<Jsonify<{ kind: 'a'; at: Date } | { kind: 'b' }>>().toEqualTypeOf<
    { kind: 'a'; at: string } | { kind: 'b' }
  >()
  expectTypeOf<Jsonify<AnyJson>>().toEqualTypeOf<AnyJson>()
  expectTypeOf<Jsonify<Tree>['children'][0]['at']>().toEqualTypeOf<string>()
  expectTypeOf<Jsonify<unknown>>().toBeUnknown()
  expectTypeOf<Jsonify<any>>().toBeAny()
})

test('MessagePack', () => {
  expectTypeOf<Unpacked<{ at: Date; n: bigint; u: undefined; o?: string }>>().toEqualTypeOf<{
    at: Date
    n: bigint
    u: undefined
    o?: string
  }>()
  expectTypeOf<Unpacked<Map<string, Date>>>().toEqualTypeOf<never>()
  expectTypeOf<Unpacked<Set<number>[]>>().toEqualTypeOf<never[]>()
  expectTypeOf<Unpacked<(() => 1) | symbol | RegExp | Promise<1>>>().toEqualTypeOf<never>()
  expectTypeOf<Unpacked<{ deep: { bytes: Buffer; buffer: ArrayBuffer } }>>().toEqualTypeOf<{
    deep: { bytes: Uint8Array; buffer: Uint8Array }
  }>()
  expectTypeOf<Unpacked<Point>>().toEqualTypeOf<{ x: number }>()
  expectTypeOf<Unpacked<URL>>().toEqualTypeOf<string>()
  expectTypeOf<Unpacked<Float32Array>>().toEqualTypeOf<never>()
  expectTypeOf<Unpacked<readonly [Date, Date?]>>().toEqualTypeOf<readonly [Date, Date?]>()
})

test('results, payloads and messages', () => {
  expectTypeOf<Serialized<void>>().toEqualTypeOf<null>()
  expectTypeOf<Serialized<string | undefined, 'msgpack'>>().toEqualTypeOf<string | null>()
  expectTypeOf<Serialized<Buffer>>().toEqualTypeOf<Uint8Array>()
  expectTypeOf<Serialized<ArrayBuffer, 'msgpack'>>().toEqualTypeOf<Uint8Array>()
  expectTypeOf<Serialized<{ at: Date; bytes: Buffer | string }>>().toEqualTypeOf<{
    at: string
    bytes: Uint8Array | string
  }>()
  expectTypeOf<Serialized<{ at: Date; bytes?: ArrayBuffer }>>().toEqualTypeOf<{ at: string; bytes?: Uint8Array }>()
  expectTypeOf<Serialized<{ at: Date; deep: { bytes: Uint8Array } }>>().toEqualTypeOf<{
    at: string
    deep: { bytes: Uint8Array }
  }>()
  expectTypeOf<Serialized<{ bytes: Uint8Array; floats: Float32Array }>>().toEqualTypeOf<{
    bytes: Uint8Array
    floats: never
  }>()
  expectTypeOf<Serialized<{ at: Date; any: any }>>().toEqualTypeOf<{ at: string; any: any }>()
  expectTypeOf<Serialized<Date[], 'msgpack'>>().toEqualTypeOf<Date[]>()
})
