struct Retry {}
