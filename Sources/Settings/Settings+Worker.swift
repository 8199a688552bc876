extension Settings {
    /// How much work this process takes.
    package struct Worker: Sendable {
        /// Workers inside `penguin-web`: 0 or 1.
        package var count: Int
        /// Jobs that one worker runs at once.
        package var concurrency: Int
        /// Where `penguin-worker` answers monitors; nil: nowhere.
        ///
        /// `penguin-web` answers on its own port.
        package var metricsPort: Int?
        package var metricsHost: String
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
            SettingKey(
                "worker.metrics_port",
                variable: "PENGUIN_WORKER_METRICS_PORT",
                .integer(0...65_535),
                defaultNote: "none",
                example: "9464",
                "Where a `penguin-worker` process answers `/metrics` and `/livez`; 0 takes a free port and logs it."
            ),
            SettingKey(
                "worker.metrics_host",
                variable: "PENGUIN_WORKER_METRICS_HOST",
                .text("an address or a host name"),
                default: "127.0.0.1",
                "The address of `worker.metrics_port`. What is told there is nobody's data, and needs no key."
            ),
        ]
    )

    init(reading reader: inout SettingsReader) {
        self.count = reader.integer("worker.count")
        self.concurrency = reader.integer("worker.concurrency")
        self.metricsPort = reader.optionalInteger("worker.metrics_port")
        self.metricsHost = reader.text("worker.metrics_host") { !$0.contains(where: \.isWhitespace) } ?? ""
    }
}
