// The public names of @sallyport/nats.
export {}
