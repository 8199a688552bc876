func wait() { sleep(1) }
