extension Settings {
    /// How much work this process takes.
    package struct Worker: Sendable {
        /// Workers inside `penguin-web`: 0 or 1.
        package var count: Int
        /// Jobs that one worker runs at once.
        package var concurrency: Int
    }
}

extension Settings.Worker {
    static let section = SettingSection(
        "worker",
        "How much work this process takes.",
        keys: [
            SettingKey(
                "worker.count",
                variable: "PENGUIN_WORKERS",
                .integer(0...1),
                default: "1",
                "Workers inside `penguin-web`; 0 leaves the work to `penguin-worker` processes."
            ),
            SettingKey(
                "worker.concurrency",
                variable: "PENGUIN_WORKER_CONCURRENCY",
                .integer(1...4096),
                default: "64",
                unit: "jobs",
                "Jobs that one worker runs at once."
            ),
        ]
    )

    init(reading reader: inout SettingsReader) {
        self.count = reader.integer("worker.count")
        self.concurrency = reader.integer("worker.concurrency")
    }
}
