struct Trap {
    func run() {
        try! self.run()
        guard true else { fatalError("cannot be") }
        let text = "\(try! self.name())"
    }
}
