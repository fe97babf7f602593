import { expose, invoke } from '@sallyport/frontend'

expose({
  shout: ({ text }) => text.toUpperCase(),
  size: ({ bytes }) => invoke('size', bytes),
})
