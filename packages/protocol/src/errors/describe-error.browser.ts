// `describe-error.ts` for browsers, whose errors hold nothing of the host.
import { describeThrown } from './bus-error.js'

export const getPublicMessage = describeThrown as (error: Error) => string
export const whyNotSerializable = describeThrown as (cause: unknown) => string
