/// Halves of a surrogate pair that were escaped alone, which JSONDecoder refuses.
///
/// A server that cuts its text by UTF-16 units writes them between two chunks; a whole turn should not fail for that.
enum LoneSurrogates {
    /// The JSON text with each of them replaced by `\ufffd`; nil when there is none.
    static func replaced(in json: [UInt8]) -> [UInt8]? {
        var repaired = json
        var found = false
        var at = 0
        while at + 1 < json.count {
            guard json[at] == UInt8(ascii: "\\") else {
                at += 1
                continue
            }
            guard let unit = self.unit(in: json, at: at) else {
                // Another escape, of two bytes.
                at += 2
                continue
            }
            let next = self.unit(in: json, at: at + 6)
            if (0xd800..<0xdc00).contains(unit), let next, (0xdc00..<0xe000).contains(next) {
                at += 12
                continue
            }
            if (0xd800..<0xe000).contains(unit) {
                repaired.replaceSubrange(at..<at + 6, with: Array("\\ufffd".utf8))
                found = true
            }
            at += 6
        }
        return found ? repaired : nil
    }

    /// The UTF-16 unit of the `\uXXXX` at that place.
    private static func unit(in json: [UInt8], at start: Int) -> UInt16? {
        guard start + 6 <= json.count, json[start] == UInt8(ascii: "\\"), json[start + 1] == UInt8(ascii: "u") else {
            return nil
        }
        return HexDigits.value(of: json[start + 2..<start + 6])
    }
}
