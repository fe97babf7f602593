// Which addresses are private, and what the host's log says about them.
import { expect, test } from 'vitest'
import { rows } from '../../../scripts/testing.js'
import { AddressFilter, isPrivateAddress } from './addresses.js'

test('addresses of no use in public are private', () =>
  rows([
    ...[
      '0.0.0.0',
      '10.1.2.3',
      '100.64.0.1',
      '127.255.0.1',
      '169.254.169.254',
      '172.31.0.1',
      '192.168.1.1',
      '198.19.0.1',
      '224.0.0.1',
    ],
    ...[
      '255.255.255.255',
      '::',
      '::1',
      '::7f00:1',
      'fc00::1',
      'fdff::1',
      'fe80::1',
      'fe80::1%eth0',
      'fec0::1',
      'ff02::1',
      '::ffff:10.0.0.1',
    ],
    ...[
      '64:ff9b::a00:1',
      '64:ff9b::10.0.0.1',
      '64:ff9b::1',
      '64:ff9b::',
      '::ffff:0:7f00:1',
      '168.63.129.16',
      '192.88.99.1',
      '64:ff9b:1::1',
      '2002:7f00:1::',
      '2001::1',
      '100::1',
      'text',
      '',
    ],
    // Documentation, dummy prefix, benchmarks, segment routing, ISATAP.
    ...[
      '192.0.2.1',
      '198.51.100.255',
      '203.0.113.7',
      '::ffff:192.0.2.1',
      '64:ff9b::c000:201',
      '2001:db8::1',
      '3fff:fff::1',
    ],
    ...['100:0:0:1::1', '2001:2::1', '5f00::1', '5f00:1234::1'],
    ...[
      '2606:4700::5efe:7f00:1',
      '2606:4700::200:5efe:10.0.0.1',
      '2606:4700:0:1:0:5efe:101:101',
      '2606:4700:1:1:200:5efe:a00:1',
    ],
  ])(address => expect(isPrivateAddress(address)).toBe(true)))

test('other addresses are public', () =>
  rows([
    ...['1.1.1.1', '93.184.216.34', '172.32.0.1', '2606:4700::1111', '::ffff:1.1.1.1', '64:ff9b::101:101'],
    ...[
      '192.0.3.1',
      '198.51.101.1',
      '203.0.114.1',
      '2001:db9::1',
      '2001:4860:4860::8888',
      '5eff::1',
      '5f01::1',
      '4000::1',
    ],
    ...['2606:4700::5efe:7f00:1:1', '2606:4700:0:0:1:5efe:7f00:1', '2606:5efe::1', '2606:4700:1:2:3:4:5:6'],
  ])(address => expect(isPrivateAddress(address)).toBe(false)))

test('the error names the host and its address', () => {
  expect(() => new AddressFilter().getLookup('10.0.0.1', false)).toThrow(
    'Connection refused: "10.0.0.1" has the private address 10.0.0.1',
  )
})
