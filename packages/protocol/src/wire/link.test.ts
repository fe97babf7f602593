import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { FRAME_KIND, type FrameKind, isFrameKind } from './messages.js'
import { keepOwn, ownsWholeBuffer, readFrame, writeFrame } from './link.js'

const roundTrip = (kind: FrameKind, body: string | Uint8Array) => readFrame(new Uint8Array(writeFrame({ kind, body })))

describe('a frame', () => {
  it('has one of these kinds', () =>
    expect(FRAME_KIND).toEqual({ json: 1, msgpack: 2, sealed: 3, jsonBytes: 4, bytes: 5 }))

  it('is read as it was written, for each kind', () =>
    rows(Object.values(FRAME_KIND))(kind => {
      const body = new Uint8Array([0, 255, 1, kind])
      expect(roundTrip(kind, body)).toEqual({ kind, body })
      expect(new Uint8Array(writeFrame({ kind, body }))).toEqual(new Uint8Array([kind, ...body]))
    }))

  it('encodes a string as UTF-8', () =>
    rows(['', 'a', 'ü', 'イ', '😀', '\ud800', `${'x'.repeat(99)}é`])(text =>
      expect(roundTrip(1, text)?.body).toEqual(new Uint8Array(Buffer.from(text))),
    ))

  it('is written to a buffer of its exact size', () => {
    for (const body of ['abc', new Uint8Array(3), Buffer.from('abc')]) {
      expect(writeFrame({ kind: 1, body })).toBeInstanceOf(ArrayBuffer)
      expect(writeFrame({ kind: 1, body }).byteLength).toBe(4)
    }
  })

  it('has a copy of a body that is part of a larger buffer', () => {
    const large = new Uint8Array([9, 9, 1, 2, 3, 9, 9])
    const frame = writeFrame({ kind: 2, body: large.subarray(2, 5) })
    large.fill(0)
    expect(new Uint8Array(frame)).toEqual(new Uint8Array([2, 1, 2, 3]))
  })

  it('uses the memory of a record only if there is room for the kind byte before it', () => {
    const alone = Uint8Array.from([0, 1, 2, 3])
    expect(writeFrame({ kind: 3, body: alone.subarray(1) })).toBe(alone.buffer)
    expect(alone).toEqual(Uint8Array.from([3, 1, 2, 3]))
    for (const body of [alone, alone.subarray(1, 3), alone.subarray(2)]) {
      expect(writeFrame({ kind: 3, body })).not.toBe(alone.buffer)
    }
    expect(writeFrame({ kind: 2, body: alone.subarray(1) })).not.toBe(alone.buffer)
    expect(ownsWholeBuffer(new Uint8Array(new SharedArrayBuffer(4)), 0)).toBe(false)
  })

  it('can have an empty body', () =>
    expect(roundTrip(3, new Uint8Array())).toEqual({ kind: 3, body: new Uint8Array() }))

  it('is read from the middle of a buffer, without a copy', () => {
    const bytes = new Uint8Array([9, 1, 2, 3]).subarray(1)
    const frame = readFrame(bytes)
    expect(frame).toEqual({ kind: 1, body: new Uint8Array([2, 3]) })
    expect(frame?.body.buffer).toBe(bytes.buffer)
  })

  it('keeps at most twice its own bytes while it waits, and is not copied for less', () => {
    const { buffer } = new Uint8Array(100)
    for (const create of [
      (length: number) => new Uint8Array(buffer, 1, length),
      (length: number) => Buffer.from(buffer, 1, length),
    ]) {
      expect([49, 50].map(length => keepOwn(create(length)).buffer.byteLength)).toEqual([49, 100])
    }
  })

  it('is invalid if its kind byte is unknown', () =>
    rows([0, 6, 7, 0x5b, 0x7b, 127, 128, 255])(kind => {
      expect(isFrameKind(kind)).toBe(false)
      expect(readFrame(new Uint8Array([kind, 1, 2]))).toBeUndefined()
    }))

  it('is invalid if it is empty', () => {
    expect(readFrame(new Uint8Array())).toBeUndefined()
    expect(isFrameKind(undefined)).toBe(false)
  })
})
