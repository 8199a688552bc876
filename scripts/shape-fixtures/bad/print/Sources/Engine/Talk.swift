func talk() {
    print("here")
    debugPrint("here")
    _ = "\(print("here"))"
}
