// What users find on a client: the bus's own controls are not among it.
import { expect, it } from 'vitest'
import { setUp } from '../../test/peer.js'
import { Client } from './client.js'

it('a client has only its public members at run time', () => {
  const { client } = setUp()
  const methods = ['invoke', 'stream', 'emit', 'emitTo', 'listen', 'once', 'expose', 'close']
  expect(Object.getOwnPropertyNames(Client.prototype).toSorted()).toEqual(['constructor', ...methods].toSorted())
  expect(Object.keys(client).toSorted()).toEqual(['Channel', 'closed', 'data', 'label'])
})
