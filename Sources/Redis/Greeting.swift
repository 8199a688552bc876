/// What is said on a new connection before anything else: who we are, which database, our name; then `PING`.
///
/// `PING` is last because a server that is still loading its data, or busy with a script, refuses it: such a
/// connection is not used yet.
struct Greeting: Sendable {
    private enum Step {
        case login, database, name, ping
    }

    let commands: [RedisCommand]
    private var steps: ArraySlice<Step>

    init(configuration: RedisConfiguration, name: String) {
        var steps: [Step] = []
        var commands: [RedisCommand] = []
        if configuration.password != nil || configuration.username != nil {
            // The two-argument form needs Redis 6; a bare password also works with what is older.
            let user = configuration.username.map { [RedisArgument.string($0)] } ?? []
            commands.append(RedisCommand("AUTH", arguments: user + [.string(configuration.password ?? "")]))
            steps.append(.login)
        }
        if configuration.database != 0 {
            commands.append(RedisCommand("SELECT", .int(configuration.database)))
            steps.append(.database)
        }
        commands.append(RedisCommand("CLIENT", "SETNAME", .string(Self.clientName(name))))
        commands.append(RedisCommand("PING"))
        self.commands = commands
        self.steps = (steps + [.name, .ping])[...]
    }

    var isDone: Bool { self.steps.isEmpty }

    /// Judges the next reply.
    ///
    /// Throws `.authentication` when the login was refused, `.notConnected` for other refusals.
    mutating func receive(_ reply: RedisValue) throws(RedisError) {
        guard let step = self.steps.popFirst() else {
            throw RedisError(.protocolViolation, "a reply after the greeting")
        }
        guard case .error(let message) = reply else {
            guard case .simple = reply else {
                throw RedisError(.protocolViolation, "the greeting was answered with something that is not a status")
            }
            return
        }
        let code = message.prefix { $0 != " " }
        switch (step, code) {
        case (.login, _), (_, "NOAUTH"), (_, "WRONGPASS"):
            throw RedisError(.authentication, "the server refused the login: \(message)")
        case (.name, "NOPERM"), (.ping, "NOPERM"):
            // An ACL user without these commands is still a user; the connection works.
            return
        default:
            throw RedisError(.notConnected, "the server refused the connection: \(message)")
        }
    }

    /// Redis allows no spaces and no control characters in a client's name.
    private static func clientName(_ name: String) -> String {
        String(name.unicodeScalars.map { $0.value > 0x20 && $0.value < 0x7f ? Character($0) : "-" })
    }
}
