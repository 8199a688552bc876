struct Claim {
    let insert = "INSERT OR IGNORE INTO jobs VALUES (1)"
    let select = """
        WITH due AS (
        SELECT id, state
        FROM jobs)
        """
    let update = #"UPDATE jobs SET state = 'running'"#
    func delete(_ id: Int) -> String { "DELETE FROM jobs WHERE id = \(id)" }
    func all(in table: String) -> String { "SELECT * FROM \(table)" }
    let pragma = "PRAGMA journal_mode"
}
