import Foundation
import Testing

@testable import Store

@Suite struct FileSystemTests {
    private static let mounts = """
        21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
        22 21 0:31 / /data rw,relatime shared:2 - nfs4 host:/export rw,vers=4.2
        23 22 8:2 / /data/local rw shared:3 - xfs /dev/sdb rw
        24 21 0:32 / /share rw - cifs //host/share rw
        25 21 0:33 / /over rw - nfs host:/x rw
        26 25 0:34 / /over rw - tmpfs tmpfs rw
        """

    @Test(
        arguments: [
            ("/data", "nfs4"), ("/data/penguin", "nfs4"), ("/share/a/b", "cifs"), ("/", nil), ("/database", nil),
            ("/data/local/penguin", nil), ("/home/penguin", nil), ("/over/penguin", nil),
        ] as [(String, String?)]
    )
    func `the nearest mount decides, and the last on one point`(path: String, type: String?) {
        #expect(FileSystem.networkType(of: path, mounts: Self.mounts) == type)
    }

    @Test func `a folder of ours is local, and one that is not there is no reason to refuse`() {
        #expect(FileSystem.networkType(of: FileManager.default.temporaryDirectory) == nil)
        #expect(FileSystem.networkType(of: URL(fileURLWithPath: "/no/such/folder")) == nil)
    }
}
