// Each file for browsers has the exports of its twin for Node, and their types. `CallSlots` says the same with `implements`.
import { expect, test } from 'vitest'
import { rows } from '../../../scripts/testing.js'
import * as msgpackInBrowser from './codec/msgpack.browser.js'
import * as msgpack from './codec/msgpack.js'
import * as callSlotsInBrowser from './rpc/call-slots.browser.js'
import * as callSlots from './rpc/call-slots.js'
import * as platformInBrowser from './util/platform.browser.js'
import * as platform from './util/platform.js'

test('each platform file has the same exports in a browser as in Node', () =>
  rows([
    ['#platform', platform, platformInBrowser satisfies typeof platform],
    ['#msgpack', msgpack, msgpackInBrowser satisfies typeof msgpack],
    ['#call-slots', callSlots, callSlotsInBrowser],
  ])((_name, node, browser) => expect(Object.keys(browser).toSorted()).toEqual(Object.keys(node).toSorted())))
