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
        guard let start = bytes.baseAddress, let wanted = needle.baseAddress,
            let found = memmem(start, bytes.count, wanted, needle.count)
        else { return nil }
        return UnsafeRawPointer(found) - start
    }
}
