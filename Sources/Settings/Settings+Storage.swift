package import Foundation

extension Settings {
    /// Where this process keeps what must last.
    package struct Storage: Sendable {
        /// The data folder, absolute; made by whoever first writes to it.
        package var home: URL
        /// The database's file, absolute.
        package var databaseFile: URL
    }
}

extension Settings.Storage {
    static let section = SettingSection(
        "storage",
        "Where this process keeps what must last.",
        keys: [
            SettingKey(
                "storage.home",
                variable: "PENGUIN_HOME",
                .path,
                default: "~/.penguin",
                "Folder for the database and the embedded Redis; `~` is `HOME`."
            ),
            SettingKey(
                "storage.database_path",
                variable: "PENGUIN_DATABASE",
                .path,
                defaultNote: "`penguin.db` in `storage.home`",
                example: "~/.penguin/penguin.db",
                "The SQLite database; all processes of one server share it."
            ),
        ]
    )

    init(reading reader: inout SettingsReader) {
        if let home = reader.path("storage.home") {
            self.home = home
        } else {
            // Only a tilde without HOME gets here; a wrong value of the user's has then already been noted.
            self.home = URL(filePath: "/")
            if reader.given("storage.home") == nil {
                reader.add(
                    .missingValue,
                    "storage.home",
                    "HOME is not set, so ~/.penguin has no place: set PENGUIN_HOME",
                    at: .defaults
                )
            }
        }
        self.databaseFile = reader.path("storage.database_path") ?? self.home.appending(path: "penguin.db")
    }
}
