// A question to a user who answers in another request, perhaps to another host: what waits for the answer leaves the host, sealed.
import type { KeyObject } from 'node:crypto'
import { deserializeValue, serializeValue } from '@sallyport/protocol/internal/contract'
import { createRecordId, openRecord, type Purpose, sealRecord } from './sealed-record.js'

const PURPOSE: Purpose = { name: 'question', subject: 'The question', version: 1 }

export interface Question {
  /** What a claim is made by. */
  readonly id: string
  readonly content: unknown
}

export const sealQuestion = (master: KeyObject, content: unknown): Uint8Array =>
  sealRecord(master, PURPOSE, { id: createRecordId() }, [serializeValue(content)])

/** @throws {BusError} InvalidParams for a question that was changed, or that another key or version has made */
export function openQuestion(master: KeyObject, sealed: Uint8Array): Question {
  const { header, plain } = openRecord(master, PURPOSE, sealed)
  return { id: header.id, content: deserializeValue(plain) }
}
