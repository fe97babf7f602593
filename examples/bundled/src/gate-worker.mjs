import '@sallyport/isolation/worker'
