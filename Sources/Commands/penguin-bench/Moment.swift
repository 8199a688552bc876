import Foundation

/// A point in time: nanoseconds of CLOCK_MONOTONIC, which every process of the machine shares.
struct Moment: Sendable, Comparable {
    var nanoseconds: UInt64

    static var now: Moment {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Moment(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    /// Negative when this moment is the earlier one.
    func seconds(since start: Moment) -> Double {
        Double(Int64(bitPattern: self.nanoseconds &- start.nanoseconds)) / 1e9
    }

    func milliseconds(since start: Moment) -> Double {
        self.seconds(since: start) * 1000
    }

    static func < (left: Moment, right: Moment) -> Bool { left.nanoseconds < right.nanoseconds }
}
