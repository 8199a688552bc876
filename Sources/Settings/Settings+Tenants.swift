import Yams

extension Settings {
    /// What one tenant may have of the workers.
    package struct Tenant: Sendable {
        /// The name of its API key.
        package var name: String
        /// Its part of the slots when others want them too, in relation to theirs.
        package var weight: Double
        /// Jobs of it that may run at once; nil for what `queue.tenant_running_max` says.
        package var runningMax: Int?
    }
}

extension Settings.Tenant {
    /// More tenants than anybody writes down.
    private static let tenantsMax = 10_000

    /// The keys of one entry of `tenants`; `<id>` is the name of the tenant's API key.
    static let section = SettingSection(
        "tenants",
        "What a tenant may have of the workers, under the name of its API key. One without an entry has the weight 1.",
        keys: [
            SettingKey(
                "tenants.<id>.weight",
                .number(0.01...1000),
                default: "1",
                "Its part of the slots when others want them too: with 2 it gets twice what one with 1 gets."
            ),
            SettingKey(
                "tenants.<id>.running_max",
                .integer(1...1_000_000),
                defaultNote: "`queue.tenant_running_max`",
                example: "16",
                unit: "jobs",
                "Jobs of it that may run at once, over all workers."
            ),
        ]
    )

    /// All entries in the order of the file.
    static func all(reading reader: inout SettingsReader) -> [Settings.Tenant] {
        let name = self.section.name
        guard let file = reader.file, let (node, line) = file.value(at: [name]), let tenants = node.mapping else {
            return []
        }
        guard tenants.count <= self.tenantsMax else {
            reader.add(.badValue, under: name, "more than \(self.tenantsMax) tenants", at: file.origin(line: line))
            return []
        }
        return tenants.compactMap { key, value in
            // What is not a map has been noted with the unknown keys.
            guard let tenant = key.string, value.mapping != nil else { return nil }
            return Settings.Tenant(
                name: tenant,
                weight: reader.number("\(name).<id>.weight", id: tenant),
                runningMax: reader.optionalInteger("\(name).<id>.running_max", id: tenant)
            )
        }
    }
}
