// Entry `@sallyport/core/otel`: tracing of core and host, by the same code as in frontends.
export { instrument, type Instrumentation, type InstrumentOptions } from '@sallyport/frontend/otel'
