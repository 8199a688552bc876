import Foundation
import Synchronization

/// Makes time-ordered UUIDs: 48 bits of milliseconds, a counter within the millisecond, random bits (RFC 9562, 5.7).
///
/// Ids made by one process ascend strictly, even when the clock steps back: the generator then stays at its last
/// millisecond and counts on.
public final class UUIDv7Generator: Sendable {
    private struct State {
        var milliseconds: UInt64 = 0
        var counter: UInt64 = 0
    }

    private static let counterMax: UInt64 = 0xFFF
    private let state = Mutex(State())

    /// The process's generator.
    ///
    /// Ids carry no meaning but their order, so one for all is enough.
    public static let shared = UUIDv7Generator()

    init() {}

    /// The next id, as 32 lower-case hexadecimal digits.
    public func next(now: Timestamp = .now) -> String {
        let (milliseconds, counter) = self.state.withLock { state -> (UInt64, UInt64) in
            let current = UInt64(clamping: now.milliseconds)
            if current > state.milliseconds {
                // Start low, so that a burst within one millisecond has room to count.
                state = State(milliseconds: current, counter: UInt64.random(in: 0...0xFF))
            } else if state.counter < Self.counterMax {
                state.counter += 1
            } else {
                state = State(milliseconds: state.milliseconds + 1, counter: 0)
            }
            return (state.milliseconds, state.counter)
        }
        let high = (milliseconds << 16) | 0x7000 | counter
        let low = (UInt64.random(in: 0...UInt64.max) & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000
        return Self.hex(high) + Self.hex(low)
    }

    private static func hex(_ value: UInt64) -> String {
        String(unsafeUninitializedCapacity: 16) { digits in
            for index in 0..<16 {
                let nibble = UInt8(truncatingIfNeeded: value >> UInt64(60 - 4 * index)) & 0xF
                digits[index] = nibble < 10 ? 48 + nibble : 87 + nibble
            }
            return 16
        }
    }
}
