import { expect, test } from 'vitest'
import { BusError } from '@sallyport/protocol/internal/errors'
import { rows } from '../../../../scripts/testing.js'
import { readRefusal, writeRefusal } from '../handshake/messages.js'
import { toConnectError, toServerError } from './errors.js'

const SAID = '\u001B]0;owned\u0007\u001B[2Jit is \u001B[31mgone\u001B[0m'

test('what a server says, and a refusal that anyone can forge, has no sequence that a terminal obeys', () =>
  rows<[string, BusError | undefined]>([
    ['no connection', toConnectError('joinBus', { servers: 'nats://localhost' }, new Error(SAID))],
    ['an error of the server', toServerError(new Error(SAID))],
    ['a refusal', readRefusal(writeRefusal(new BusError('Denied', SAID)))],
  ])((_what, error) => expect(error?.message).toMatch(/^\P{Cc}*it is gone$/u)))
