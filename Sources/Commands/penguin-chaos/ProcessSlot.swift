import TestSupport

/// A place in which one process is to run.
struct ProcessSlot {
    let name: String
    let program: PenguinProcess.Program
    /// Nil before its first start, and after an end that was meant.
    var process: PenguinProcess?
    /// Whether nobody is to start it now.
    var isHeldDown = false
    /// The port to which clients are sent, of a web process.
    var port: Int?
}
