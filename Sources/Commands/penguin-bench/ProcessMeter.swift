import Foundation

/// What processes cost, as the kernel counts it.
struct ProcessMeter: Sendable {
    /// The names under which figures have them, in the order of the table.
    static let order = ["penguin-web", "redis-server", "fake-provider", "penguin-bench"]

    let processes: [(name: String, pid: Int32)]

    /// CPU seconds by name since each process began.
    ///
    /// In steps of 10 ms; from /proc/PID/stat.
    func cpuSeconds() -> [String: Double] {
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        return self.reading { pid in
            guard let fields = Self.statFields(of: pid), fields.count > 12,
                let user = Double(fields[11]), let system = Double(fields[12])
            else { return nil }
            return (user + system) / ticks
        }
    }

    /// Resident memory in MiB by name, from /proc/PID/status.
    func residentMiB() -> [String: Double] {
        self.reading { Self.residentBytes(of: $0).map { Double($0) / 1_048_576 } }
    }

    /// The CPU seconds that `body` costs, by name.
    func measuring<R>(_ body: () async throws -> R) async rethrows -> (result: R, cpuSeconds: [String: Double]) {
        let before = self.cpuSeconds()
        let result = try await body()
        let after = self.cpuSeconds()
        return (result, after.merging(before) { $0 - $1 })
    }

    static func residentBytes(of pid: Int32) -> Int? {
        guard let status = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }),
            let kilobytes = line.split(separator: " ", omittingEmptySubsequences: true).dropFirst().first
        else { return nil }
        return Int(kilobytes.trimmingCharacters(in: .whitespaces)).map { $0 * 1024 }
    }

    /// The nearest process of that name among the children of a process, their children and so on.
    static func descendant(of ancestor: Int32, named name: String) -> Int32? {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        let parents = entries.compactMap { Int32($0) }.map { pid in
            (pid: pid, parent: self.statFields(of: pid)?.dropFirst().first.flatMap { Int32($0) })
        }
        var generation: Set<Int32> = [ancestor]
        while !generation.isEmpty {
            let children = parents.filter { $0.parent.map(generation.contains) ?? false }.map(\.pid)
            if let found = children.first(where: { self.command(of: $0) == name }) { return found }
            generation = Set(children)
        }
        return nil
    }

    private static func command(of pid: Int32) -> String? {
        let command = try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8)
        return command?.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func reading(_ read: (Int32) -> Double?) -> [String: Double] {
        let pairs = self.processes.compactMap { process in read(process.pid).map { (process.name, $0) } }
        return Dictionary(pairs) { $0 + $1 }
    }

    /// The fields after the command's name, which may hold anything: state, parent …; user time is the 12th of them.
    private static func statFields(of pid: Int32) -> [Substring]? {
        guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let end = stat.lastIndex(of: ")")
        else { return nil }
        return stat[stat.index(after: end)...].split(separator: " ")
    }
}
