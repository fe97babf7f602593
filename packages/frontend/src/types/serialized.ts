// The types of results, events' payloads and channels' messages as they arrive, for each codec. The table in docs/guide/commands.md lists the
// values. No library is used: a published type's imports are dependencies of every user, and none knows bytes.

type Bytes = Uint8Array | ArrayBuffer
type AnyFunction = (...args: never) => unknown
/** Values that JSON omits from an object, and writes as null in an array. */
type Absent = undefined | void | symbol | AnyFunction
type Primitive = string | number | boolean | null
/** Values that JSON does not change. */
type Json = Primitive | readonly Json[] | { readonly [key: string]: Json }
/** Values that both codecs refuse. An Error is not among them, because any object with a name and a message has its type. */
export type Unserializable =
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | WeakMap<object, unknown>
  | RegExp
  | ArrayBufferView
  | ArrayBufferLike
  | PromiseLike<unknown>
  | BlobLike
/** A Blob, whose type not every library has. */
interface BlobLike {
  readonly size: number
  readonly type: string
  arrayBuffer(): Promise<ArrayBuffer>
}

/** A value as the frontend receives it with its codec. */
export type Serialized<T, Codec = 'json'> = unknown extends T
  ? T
  : T extends undefined | void
    ? null
    : [Codec] extends ['msgpack']
      ? Unpacked<T>
      : Jsonify<T>

/** The type of `JSON.parse(JSON.stringify(value))`, next to bytes: `never` for values that JSON refuses. Class instances become their members. */
export type Jsonify<T> = unknown extends T
  ? T
  : T extends Json
    ? T
    : T extends Bytes
      ? Uint8Array
      : T extends bigint | Unserializable | Absent
        ? never
        : T extends { toJSON(...args: never): infer R }
          ? Jsonify<R>
          : T extends readonly unknown[]
            ? { [K in keyof T]: JsonElement<T[K]> }
            : JsonMembers<T> extends infer Members
              ? { [K in keyof Members]: Members[K] }
              : never

/** An intersection of required and optional members, which `Jsonify` joins so that editors show one object. */
type JsonMembers<T> = { [K in keyof T as JsonKey<K, T[K], 'always'>]: Jsonify<T[K]> } & {
  [K in keyof T as JsonKey<K, T[K], 'sometimes'>]?: Jsonify<Exclude<T[K], Absent>>
}

type JsonElement<T> = unknown extends T ? T : T extends Absent ? null : Jsonify<T>

type JsonKey<Key, Value, When> = Key extends symbol ? never : MemberPresence<Value> extends When ? Key : never

type MemberPresence<T> = unknown extends T
  ? 'always'
  : [Extract<T, Absent>] extends [never]
    ? 'always'
    : [Exclude<T, Absent>] extends [never]
      ? 'never'
      : 'sometimes'

/** A value after MessagePack: dates, BigInts and `undefined` are unchanged, and values that it refuses are `never`. */
export type Unpacked<T> = unknown extends T
  ? T
  : T extends Primitive | undefined | bigint | Date
    ? T
    : T extends Bytes
      ? Uint8Array
      : T extends void
        ? undefined
        : T extends symbol | AnyFunction | Unserializable
          ? never
          : T extends { toJSON(...args: never): infer R }
            ? Unpacked<R>
            : T extends readonly unknown[]
              ? { [K in keyof T]: Unpacked<T[K]> }
              : { [K in keyof T as MemberKey<K, T[K]>]: Unpacked<T[K]> }

type MemberKey<Key, Value> = Key extends symbol ? never : [Value] extends [AnyFunction] ? never : Key
