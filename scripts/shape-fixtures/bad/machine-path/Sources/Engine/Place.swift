let place = "/Users/somebody/data"
