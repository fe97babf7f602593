// The commands behind methods of `Bus`, by their names.

export const HOST_METHOD = {
  /** The arguments are the function's own; which function it is stands in the headers. */
  call: 'plugin:host|call',
  addCapability: 'plugin:acl|add_capability',
  removeCapability: 'plugin:acl|remove_capability',
  explain: 'plugin:acl|explain',
} as const
