/// Every configuration key, its default and unit, read once from a YAML file and the environment.
package import Foundation

/// What this process was told: environment over file over default, checked as a whole.
///
/// The sections are variables, so that a test can shorten a lease; a command that has flags puts them into the
/// environment it passes to `init`, so that they are checked too. Printing a `Settings` shows no secret.
/// Source: docs/configuration.md lists every key.
package struct Settings: Sendable {
    package var server: Server
    package var storage: Storage
    package var redis: Redis
    package var worker: Worker
    package var queue: Queue
    package var tenants: [Tenant]
    package var engine: Engine
    package var llm: LLM
    package var log: Log
    /// The file that was read; nil when nobody named one and the default place has none.
    package let configurationFile: URL?
    /// The variables the model catalogue needs (keys, base URLs, attribution), and no others; holds secrets.
    package let environment: [String: String]

    /// Reads and checks everything.
    ///
    /// `file` is what `--config` named and must exist; without it `PENGUIN_CONFIG` names the file (and must exist too),
    /// and without that `config/penguin.yaml` in the working directory is read if it is there.
    /// Throws one `SettingsError` that lists all problems together.
    package init(file: URL? = nil, environment: [String: String]) throws(SettingsError) {
        var reader = SettingsReader(file: file, environment: environment)
        self.server = Server(reading: &reader)
        self.storage = Storage(reading: &reader)
        self.redis = Redis(reading: &reader)
        self.worker = Worker(reading: &reader)
        self.queue = Queue(reading: &reader)
        self.tenants = Tenant.all(reading: &reader)
        self.engine = Engine(reading: &reader)
        self.llm = LLM(reading: &reader)
        self.log = Log(reading: &reader)
        self.configurationFile = reader.file?.url
        self.environment = PassedVariable.selected(from: environment, for: self.llm.modelConfigurations)
        try reader.finish()
    }

    /// The table behind everything: what is read, what is documented, and which keys a file may hold.
    package static let sections: [SettingSection] = [
        Server.section, Storage.section, Redis.section, Worker.section, Queue.section, Tenant.section, Engine.section,
        LLM.section, LLM.modelSection, Log.section,
    ]
}

extension Settings: CustomStringConvertible, CustomReflectable {
    package var description: String {
        "Settings(\(self.server), \(self.storage), \(self.redis), \(self.worker), \(self.queue), \(self.tenants), \(self.engine), "
            + "\(self.llm), \(self.log))"
    }

    /// Leaves out `environment`, which `dump` would otherwise print.
    package var customMirror: Mirror {
        Mirror(
            self,
            children: [
                "server": self.server, "storage": self.storage, "redis": self.redis, "worker": self.worker,
                "queue": self.queue, "tenants": self.tenants, "engine": self.engine, "llm": self.llm, "log": self.log,
            ]
        )
    }
}
