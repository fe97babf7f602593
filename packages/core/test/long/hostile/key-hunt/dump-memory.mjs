// Writes out what code in this thread could ever find in its memory: the contents of every ArrayBuffer, typed array and
// DataView that is alive, and a heap snapshot, which has every text.
import { appendFileSync, renameSync, writeFileSync } from 'node:fs'
import { Session } from 'node:inspector'
import { getHeapSnapshot } from 'node:v8'

const PROTOTYPES = [
  'Object.getPrototypeOf(Uint8Array.prototype)',
  'DataView.prototype',
  'ArrayBuffer.prototype',
  'SharedArrayBuffer.prototype',
]

/** @param target - the file, which appears when it is complete */
export async function dumpMemory(target) {
  const file = `${target}.part`
  const session = new Session()
  session.connect()
  const post = (method, params) => {
    let answer
    session.post(`Runtime.${method}`, params, (error, result) => {
      if (error) throw new Error(error.message)
      answer = result
    })
    return answer
  }
  writeFileSync(file, '')
  globalThis.dumpAll = objects => {
    for (const object of objects) {
      if (object.byteLength === 0) continue
      const { buffer = object, byteOffset, byteLength } = object
      appendFileSync(file, new Uint8Array(buffer, byteOffset, byteLength))
    }
  }
  // The prototypes that extend these are among the objects, and have no length of their own.
  const functionDeclaration =
    'function () { dumpAll(this.filter(o => { try { return o.byteLength > 0 } catch { return false } })) }'
  for (const expression of PROTOTYPES) {
    const { objectId: prototypeObjectId } = post('evaluate', { expression }).result
    const { objectId } = post('queryObjects', { prototypeObjectId }).objects
    post('callFunctionOn', { objectId, functionDeclaration })
  }
  session.disconnect()
  for await (const chunk of getHeapSnapshot()) appendFileSync(file, chunk)
  renameSync(file, target)
}
