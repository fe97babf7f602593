import '@sallyport/core/worker'
