// @ts-check
// A plugin that streams: it compresses what it reads, no faster than the host takes it.
import { expose } from '@sallyport/frontend'
import { pipeline, Readable } from 'node:stream'
import { createGzip } from 'node:zlib'

expose({
  async *gzip(/** @type {{ body: AsyncIterable<Uint8Array> }} */ { body }) {
    yield* pipeline(Readable.from(body), createGzip(), () => {})
  },
})
