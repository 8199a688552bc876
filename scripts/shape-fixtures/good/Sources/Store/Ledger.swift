package import Domain
import GRDB

package struct Ledger {
    let select = """
        SELECT id
        FROM jobs -- "quoted"
        """

    package func delete(_ id: JobID) -> String { "DELETE FROM jobs WHERE id = '\(id.text)'" }
}
