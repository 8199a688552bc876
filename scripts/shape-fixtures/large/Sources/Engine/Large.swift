struct Large {
    /// Only stores what it is given, so the number does not matter.
    init(a: Int, b: Int, c: Int, d: Int, e: Int, f: Int) {
        self.a = a
        self.b = b
        self.c = c
        self.d = d
        self.e = e
        self.f = f
    }

    init(a: Int, b: Int, c: Int, d: Int, e: Int, f: Int, g: Int) {
        self.a = a + b
    }

    func five(_ a: Result<Int, Never>, _ b: (Int, Int), _ c: (Int, Int) -> Int, d: [Int] = [1, 2], e: String = "a, b",) {}

    func deep() {
        for a in 1..<2 {
            if a > 1 {
                while true {
                    let b = [a].map { $0 + 1 }
                    if b.isEmpty {
                        step(1)
                    }
                }
            }
        }
    }

    func sixty() {
        step(0)
        step(1)
        step(2)
        step(3)
        step(4)
        step(5)
        step(6)
        step(7)
        step(8)
        step(9)
        step(10)
        step(11)
        step(12)
        step(13)
        step(14)
        step(15)
        step(16)
        step(17)
        step(18)
        step(19)
        step(20)
        step(21)
        step(22)
        step(23)
        step(24)
        step(25)
        step(26)
        step(27)
        step(28)
        step(29)
        step(30)
        step(31)
        step(32)
        step(33)
        step(34)
        step(35)
        step(36)
        step(37)
        step(38)
        step(39)
        step(40)
        step(41)
        step(42)
        step(43)
        step(44)
        step(45)
        step(46)
        step(47)
        step(48)
        step(49)
        step(50)
        step(51)
        step(52)
        step(53)
        step(54)
        step(55)
        step(56)
        step(57)
        step(58)
        step(59)
    }
}

protocol Shaped {
    func required<Value>(_ body: () throws -> Value) async throws -> Value
    func alsoRequired()
}
