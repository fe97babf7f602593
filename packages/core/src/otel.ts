// `@sallyport/core/otel`: what is traced in core and in the host. It is the frontends' own, and nothing of core's.

export { instrument, type Instrumentation, type InstrumentOptions } from '@sallyport/frontend/otel'
