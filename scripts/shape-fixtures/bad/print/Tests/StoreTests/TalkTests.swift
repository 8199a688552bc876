func talk() { print("here") }
