// The types that values have where they arrive: what each codec makes of a result, an event's payload or a channel's
// message. The table in docs/wire.md tells the same of the values. Written here, since what a published type imports is
// a dependency of everybody who installs it, and no library knows our places for bytes.
import type { CodecName } from '@sallyport/protocol'

type Bytes = Uint8Array | ArrayBuffer
type AnyFunction = (...args: never) => unknown
/** What JSON leaves out of an object, and writes as null in an array. */
type Absent = undefined | void | symbol | AnyFunction
type Primitive = string | number | boolean | null
/** What JSON gives back as it is. */
type Json = Primitive | readonly Json[] | { readonly [key: string]: Json }
/** No member of these is its own and enumerable. */
type Empty = ReadonlyMap<unknown, unknown> | ReadonlySet<unknown> | WeakMap<object, unknown> | RegExp | Buffers
type Buffers = ArrayBufferLike | DataView

/** As the frontend gets it, under its codec. Bytes that are all of it, or one of its members, are a `Uint8Array`. */
export type Serialized<T, Codec extends CodecName = 'json'> = unknown extends T
  ? T
  : T extends undefined | void
    ? null
    : T extends Bytes
      ? Uint8Array
      : CodecFor<T, Codec> extends 'msgpack'
        ? Unpacked<T>
        : Jsonify<T>

/** A message with bytes in it goes as MessagePack under either codec; one that may have some is taken for one that has. */
export type CodecFor<T, Codec extends CodecName> = T extends Primitive | readonly unknown[]
  ? Codec
  : true extends MayBeBytes<T[keyof T]>
    ? 'msgpack'
    : Codec
type MayBeBytes<Member> = unknown extends Member ? false : Member extends Bytes ? true : false

/** `JSON.parse(JSON.stringify(value))`, as a type. What JSON refuses is `never`; class instances are taken by their members. */
export type Jsonify<T> = unknown extends T
  ? T
  : T extends Json
    ? T
    : T extends { toJSON(...args: never): infer R }
      ? Jsonify<R>
      : T extends bigint | Absent
        ? never
        : T extends Empty
          ? Record<string, never>
          : T extends ArrayBufferView
            ? Record<string, number>
            : T extends readonly unknown[]
              ? { [K in keyof T]: JsonElement<T[K]> }
              : JsonMembers<T> extends infer Members
                ? { [K in keyof Members]: Members[K] }
                : never

/** In two parts, joined above so that editors show one object. */
type JsonMembers<T> = { [K in keyof T as JsonKey<K, T[K], 'always'>]: Jsonify<T[K]> } & {
  [K in keyof T as JsonKey<K, T[K], 'sometimes'>]?: Jsonify<Exclude<T[K], Absent>>
}

type JsonElement<T> = unknown extends T ? T : T extends Absent ? null : Jsonify<T>

type JsonKey<Key, Value, When> = Key extends symbol ? never : Presence<Value> extends When ? Key : never

type Presence<T> = unknown extends T
  ? 'always'
  : [Extract<T, Absent>] extends [never]
    ? 'always'
    : [Exclude<T, Absent>] extends [never]
      ? 'never'
      : 'sometimes'

/** What MessagePack gives back: dates, BigInts and `undefined` as they are, maps as objects, sets as arrays. */
export type Unpacked<T> = unknown extends T
  ? T
  : T extends Primitive | undefined | bigint | Date
    ? T
    : T extends Bytes
      ? Uint8Array
      : T extends { toJSON(...args: never): infer R }
        ? Unpacked<R>
        : T extends symbol | ArrayBufferView
          ? never
          : T extends void | AnyFunction
            ? undefined
            : T extends ReadonlyMap<infer K, infer V>
              ? Record<K extends string | number ? K : string, Unpacked<V>>
              : T extends ReadonlySet<infer V>
                ? Unpacked<V>[]
                : T extends readonly unknown[]
                  ? { [K in keyof T]: Unpacked<T[K]> }
                  : { [K in keyof T as MemberKey<K, T[K]>]: Unpacked<T[K]> }

type MemberKey<Key, Value> = Key extends symbol ? never : [Value] extends [AnyFunction] ? never : Key
