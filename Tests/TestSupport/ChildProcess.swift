package import Foundation
import Synchronization

/// A child process that dies with this one, and whose pid is never used after it was reaped.
///
/// Each child has a thread of its own that starts it and waits for it. That thread is what the kernel watches: the
/// child gets SIGKILL when it ends (`setpriv --pdeathsig`, util-linux), which it does only with this process. A thread
/// of Swift's pool would not do, as the pool may retire it.
package final class ChildProcess: Sendable {
    private enum State {
        case starting
        case running(pid_t)
        case exited(Int32)
        case failed(String)
    }

    private let state = Mutex(State.starting)

    /// Starts `executable` (looked up in PATH) with output to `log`; throws when it cannot be started.
    package static func start(_ executable: String, _ arguments: [String], log: URL) async throws -> ChildProcess {
        let child = ChildProcess()
        Thread.detachNewThread { child.startAndWait(executable, arguments, log: log) }
        try await eventually("\(executable) is started") {
            if case .starting = child.state.withLock({ $0 }) { return false }
            return true
        }
        if case .failed(let reason) = child.state.withLock({ $0 }) { throw NotInTime(description: reason) }
        return child
    }

    private init() {}

    deinit {
        self.signal(SIGKILL)
    }

    /// Nil once it has ended.
    package var pid: Int32? {
        guard case .running(let pid) = self.state.withLock({ $0 }) else { return nil }
        return pid
    }

    /// The status of `waitpid` once it has ended.
    package var exitStatus: Int32? {
        guard case .exited(let status) = self.state.withLock({ $0 }) else { return nil }
        return status
    }

    /// Sends a signal if the process has not ended; the lock keeps it from being reaped meanwhile.
    package func signal(_ signal: Int32) {
        self.state.withLock { state in
            if case .running(let pid) = state { _ = Glibc.kill(pid, signal) }
        }
    }

    /// SIGTERM, then SIGKILL after `grace`; returns when the process is gone.
    package func stop(grace: Duration = .seconds(5)) async throws {
        self.signal(SIGTERM)
        // A paused process takes SIGTERM only when it goes on.
        self.signal(SIGCONT)
        do {
            try await eventually(within: grace, "the child has ended") { self.pid == nil }
        } catch {
            try await self.kill()
        }
    }

    /// SIGKILL; returns when the process is gone.
    package func kill() async throws {
        self.signal(SIGKILL)
        // Not cut short by a cancelled test: the process must be gone before its folder is.
        let gone = Task.detached {
            try await eventually(within: .seconds(10), "the child was killed") { self.pid == nil }
        }
        try await gone.value
    }

    private func startAndWait(_ executable: String, _ arguments: [String], log: URL) {
        switch Self.spawn(["setpriv", "--pdeathsig", "KILL", "--", executable] + arguments, log: log) {
        case .failure(let error):
            self.state.withLock { $0 = .failed("cannot start \(executable): \(error)") }
        case .success(let pid):
            self.state.withLock { $0 = .running(pid) }
            self.reap(pid)
        }
    }

    private func reap(_ pid: pid_t) {
        // First wait without reaping: until the lock is held, the pid must stay this child's.
        var info = siginfo_t()
        while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) == -1, errno == EINTR {}
        self.state.withLock { state in
            var status: Int32 = 0
            while waitpid(pid, &status, 0) == -1, errno == EINTR {}
            state = .exited(status)
        }
    }

    private static func spawn(_ command: [String], log: URL) -> Result<pid_t, POSIXError> {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, log.path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // What is open here and not marked close-on-exec must not stay open because of the child.
        let open = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
        for descriptor in (open ?? []).compactMap({ Int32($0) }) where descriptor > 2 {
            posix_spawn_file_actions_addclose(&actions, descriptor)
        }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigdefault(&attributes, &all)
        // A group of its own: when the group of a stopped process loses its last parent outside, the kernel hangs all of it
        // up, and that parent may be the shell of whoever started the tests.
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP
        posix_spawnattr_setflags(&attributes, Int16(flags))

        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var pid: pid_t = 0
        let status = posix_spawnp(&pid, command[0], &actions, &attributes, &arguments, environ)
        guard status == 0 else { return .failure(POSIXError(POSIXErrorCode(rawValue: status) ?? .EIO)) }
        return .success(pid)
    }
}
