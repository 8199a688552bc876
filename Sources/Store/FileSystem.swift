import Foundation

/// What the database's folder lies on.
///
/// SQLite's write-ahead log needs shared memory between its processes, which no network file system gives: there it seems
/// to work and loses data.
enum FileSystem {
    private static let network: Set<Substring> = [
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "9p", "lustre", "glusterfs", "fuse.sshfs",
        "fuse.glusterfs", "fuse.s3fs",
    ]

    /// The type of the network file system that a folder lies on; nil for any other, or when Linux does not tell.
    static func networkType(of folder: URL) -> String? {
        guard let mounts = try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8) else { return nil }
        return self.networkType(of: folder.standardizedFileURL.path, mounts: mounts)
    }

    /// Source: proc(5), `/proc/PID/mountinfo`: `… root mount-point options … - type source options`.
    static func networkType(of path: String, mounts: String) -> String? {
        var nearest: (point: Substring, type: Substring) = ("", "")
        for line in mounts.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard let dash = fields.firstIndex(of: "-"), fields.count > dash + 1, dash > 4 else { continue }
            let point = fields[4]
            let holds = point == "/" || path == point || path.hasPrefix(point + "/")
            // Of mounts on one point the last counts.
            if holds, point.utf8.count >= nearest.point.utf8.count { nearest = (point, fields[dash + 1]) }
        }
        return self.network.contains(nearest.type) ? String(nearest.type) : nil
    }
}
