// What of the requested rights a grant has.
import { expect, test } from 'vitest'
import { rows } from '../../../scripts/testing.js'
import { type RequestedPermission, select } from './rights.js'

const files = { permission: 'fs:read', allow: ['$HOME/a/**'], deny: ['$HOME/a/secret'] }

test('a permission is granted with the scope that it was asked for, and with no other', () =>
  rows<[string, RequestedPermission, RequestedPermission, boolean]>([
    ['the same', files, { ...files }, true],
    ['without its deny', files, { permission: 'fs:read', allow: files.allow }, false],
    ['with a deny that was not asked for', { permission: 'fs:read', allow: files.allow }, files, false],
    ['another deny', files, { ...files, deny: ['$HOME/b'] }, false],
    ['another allow', files, { ...files, allow: ['$HOME/**'] }, false],
    ['without a scope', files, 'fs:read', false],
    ['a name', 'fs:read', 'fs:read', true],
    ['another name', 'fs:read', 'fs:write', false],
  ])((_name, requested, granted, isGranted) => {
    const [asked, given] = [requested, granted].map(each => ({ permissions: [each], net: false }))
    expect(select(asked!, true, given!).permissions).toEqual(isGranted ? [requested] : [])
    expect(select(asked!, false, given!).permissions).toEqual(isGranted ? [] : [requested])
  }))

test('the network is granted if it was asked for and granted, and missing if it was not granted', () =>
  rows([
    [true, true, true, false],
    [true, false, false, true],
    [false, true, false, false],
    [false, false, false, false],
  ])((asked, granted, isGranted, isMissing) => {
    const [requested, given] = [asked, granted].map(net => ({ permissions: [], net }))
    expect(select(requested!, true, given!).net).toBe(isGranted)
    expect(select(requested!, false, given!).net).toBe(isMissing)
  }))
