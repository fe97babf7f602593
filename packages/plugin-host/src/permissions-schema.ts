// What a list of requested permissions must be, in a manifest and in the file of grants. Apart from the public types, which need no valibot.
import * as v from 'valibot'
import type { RequestedPermission } from './requests.js'

const values = v.optional(v.array(v.unknown()))
const permissionText = v.pipe(v.string('must be text'), v.nonEmpty('must not be empty'), v.maxLength(200))
const permission = v.union(
  [permissionText, v.strictObject({ permission: permissionText, allow: values, deny: values })],
  'must be the name of a permission, or { permission, allow, deny }',
)
export const permissionsSchema: v.GenericSchema<unknown, RequestedPermission[]> = v.pipe(
  v.array(permission, 'must be an array'),
  v.maxLength(200, 'must have at most 200 entries'),
)
