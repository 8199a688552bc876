import Domain
import Foundation
import TestSupport

/// A wall clock that a test sets while processes run under it; their monotonic clocks and timers stay what they are.
///
/// A preloaded library adds what lies in a mapped file to what the kernel says. libfaketime would not do: it also shifts
/// `timerfd_settime` of monotonic clocks, so that after a step back every sleep of Swift's runtime lasts as long as the step.
struct WallClock: Sendable {
    private let library: URL
    private let file: URL

    /// One that is right; compiled in `folder`, by the `gcc` that Swift's own linking needs too.
    init(in folder: URL) async throws {
        self.library = folder.appendingPathComponent("wall-clock.so")
        self.file = folder.appendingPathComponent("wall-clock")
        try Data(count: MemoryLayout<Int64>.size).write(to: self.file)
        let (source, log) = (folder.appendingPathComponent("wall-clock.c"), folder.appendingPathComponent("gcc.log"))
        try Data(Self.source.utf8).write(to: source)
        let compiler = try await ChildProcess.start(
            "gcc",
            ["-shared", "-fPIC", "-O1", "-o", self.library.path, source.path],
            log: log
        )
        try await eventually(within: .seconds(30), "the library is compiled") { compiler.exitStatus != nil }
        guard compiler.exitStatus == 0 else {
            throw NotInTime(description: "gcc: \(try String(contentsOf: log, encoding: .utf8))")
        }
    }

    /// What a process is started with so that it lives by this clock.
    var variables: [String: String] { ["LD_PRELOAD": self.library.path, "WALL_CLOCK": self.file.path] }

    /// Steps the clock of all its processes to so much ahead of this machine's; below zero it is behind.
    func set(ahead time: Duration) throws {
        // In place: the processes have this file mapped.
        let handle = try FileHandle(forWritingTo: self.file)
        try handle.write(contentsOf: withUnsafeBytes(of: time.components.seconds) { Data($0) })
        try handle.close()
    }

    private static let source = """
        #define _GNU_SOURCE
        #include <fcntl.h>
        #include <stdint.h>
        #include <stdlib.h>
        #include <sys/mman.h>
        #include <sys/syscall.h>
        #include <sys/time.h>
        #include <time.h>
        #include <unistd.h>

        static volatile const int64_t *ahead;

        __attribute__((constructor)) static void open_clock(void) {
            const char *name = getenv("WALL_CLOCK");
            int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
            if (file < 0) return;
            void *page = mmap(0, sizeof *ahead, PROT_READ, MAP_SHARED, file, 0);
            close(file);
            if (page != MAP_FAILED) ahead = page;
        }

        int clock_gettime(clockid_t clock, struct timespec *now) {
            int status = syscall(SYS_clock_gettime, clock, now);
            if (!status && ahead && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += *ahead;
            return status;
        }

        int gettimeofday(struct timeval *time, void *zone) {
            struct timespec now;
            int status = clock_gettime(CLOCK_REALTIME, &now);
            if (!status) *time = (struct timeval){ now.tv_sec, now.tv_nsec / 1000 };
            return status;
        }

        time_t time(time_t *seconds) {
            struct timespec now;
            clock_gettime(CLOCK_REALTIME, &now);
            if (seconds) *seconds = now.tv_sec;
            return now.tv_sec;
        }
        """
}
