import Foundation

/// Finds bytes in bytes.
enum ByteSearch {
    /// The offset of the first occurrence.
    static func first(_ needle: StaticString, in bytes: UnsafeRawBufferPointer) -> Int? {
        needle.withUTF8Buffer { self.first(UnsafeRawBufferPointer($0), in: bytes) }
    }

    /// The offset of the first occurrence.
    static func first(_ needle: [UInt8], in bytes: UnsafeRawBufferPointer) -> Int? {
        needle.withUnsafeBytes { self.first($0, in: bytes) }
    }

    private static func first(_ needle: UnsafeRawBufferPointer, in bytes: UnsafeRawBufferPointer) -> Int? {
        guard let start = bytes.baseAddress, let wanted = needle.baseAddress, let first = needle.first else {
            return nil
        }
        var offset = 0
        while offset + needle.count <= bytes.count {
            let candidates = bytes.count - needle.count - offset + 1
            guard let found = memchr(start + offset, Int32(first), candidates) else { return nil }
            offset = UnsafeRawPointer(found) - start
            if memcmp(start + offset, wanted, needle.count) == 0 { return offset }
            offset += 1
        }
        return nil
    }
}
