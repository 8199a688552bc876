// swift-tools-version: 6.2
import PackageDescription

// The same strictness everywhere: a warning fails the build, imports are internal unless they say otherwise,
// and `swift build --explicit-target-dependency-import-check error` (see scripts/build) refuses an undeclared import.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
    .treatAllWarnings(as: .error),
]

/// One room of ARCHITECTURE.md: its folder, and everything it may import.
func room(_ name: String, imports: [Target.Dependency] = [], linkerSettings: [LinkerSetting] = []) -> Target {
    .target(name: name, dependencies: imports, swiftSettings: strict, linkerSettings: linkerSettings)
}

func command(_ name: String, imports: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name,
        dependencies: imports,
        path: "Sources/Commands/\(name)",
        swiftSettings: strict
    )
}

func tests(of name: String, imports: [Target.Dependency]) -> Target {
    .testTarget(name: "\(name)Tests", dependencies: imports, swiftSettings: strict)
}

let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioWebSocket = Target.Dependency.product(name: "NIOWebSocket", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioHTTPTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioHTTPTypesHTTP1 = Target.Dependency.product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let metrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")

let package = Package(
    name: "penguin",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "PenguinAPI", targets: ["PenguinAPI"]),
        .executable(name: "penguin-web", targets: ["penguin-web"]),
        .executable(name: "penguin-worker", targets: ["penguin-worker"]),
        .executable(name: "penguin", targets: ["penguin"]),
    ],
    dependencies: [
        // HTTP server: router, middleware, keep-alive, graceful shutdown.
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1"),
        // Sockets for Redis and WebSocket.
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        // TLS for rediss://, which libhiredis 0.14 lacks.
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
        // The bridge from NIO's HTTP/1 parts to Hummingbird's, which our WebSocket upgrade needs.
        .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.35.2"),
        // Request and header types that Hummingbird speaks.
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        // Deque for the queues of waiters and frames.
        .package(url: "https://github.com/apple/swift-collections.git", from: "1.6.0"),
        // SQLite: pool, statement cache, migrations-free use of libsqlite3.
        .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
        // SHA-256 for API keys and idempotency hashes.
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
        // Structured logs.
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        // The API through which metrics are recorded.
        .package(url: "https://github.com/apple/swift-metrics.git", from: "2.13.0"),
        // Start and stop of the long-lived parts, signals.
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        // config/penguin.yaml.
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.2"),
        // Command lines.
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        // Child processes in tests.
        .package(url: "https://github.com/swiftlang/swift-subprocess.git", from: "1.0.2"),
    ],
    targets: [
        .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        .target(name: "CCurl", linkerSettings: [.linkedLibrary("curl")]),

        room("Domain"),
        room("Settings", imports: ["Domain", yams]),
        room("PenguinMetrics", imports: [metrics]),
        room("Redis", imports: ["CHiredis", nio, nioPosix, nioSSL, deque, metrics, logging, lifecycle]),
        room("Store", imports: ["Domain", grdb, sqlite, deque, metrics, logging]),
        room("Events", imports: ["Domain", "Redis", nio, deque, metrics, logging]),
        room("Queue", imports: ["Domain", "Redis", "Store", "Events", nio, crypto, metrics, logging]),
        room("HTTPClient", imports: ["CCurl"]),
        room("LLM", imports: ["Domain", "HTTPClient"]),
        room("Engine", imports: ["Domain", "LLM"]),
        room(
            "Worker",
            imports: [
                "Domain", "Settings", "Redis", "Store", "Events", "Queue", "LLM", "Engine", logging, lifecycle,
            ]
        ),
        room(
            "WebSocket",
            imports: [
                "CZlib", hummingbirdCore, nio, nioPosix, nioHTTP1, nioWebSocket, nioSSL, nioHTTPTypes,
                nioHTTPTypesHTTP1,
                httpTypes, logging,
            ]
        ),
        room(
            "PenguinAPI",
            imports: ["Domain", "Redis", "Store", "Events", "Queue", "LLM", nio, crypto, lifecycle]
        ),
        room(
            "API",
            imports: [
                "Domain", "Settings", "PenguinAPI", "WebSocket", hummingbird, hummingbirdCore, httpTypes, nio, crypto,
                logging, lifecycle,
            ]
        ),
        room(
            "PenguinServer",
            imports: [
                "Domain", "Settings", "Redis", "Store", "Events", "Queue", "HTTPClient", "LLM", "Engine", "Worker",
                "PenguinAPI", "API", "PenguinMetrics", nio, metrics, logging, lifecycle, signals,
            ]
        ),

        command("penguin-web", imports: ["PenguinServer", "Settings", "Domain", arguments]),
        command("penguin-worker", imports: ["PenguinServer", "Settings", "Domain", arguments]),
        command("penguin", imports: ["Domain", "Settings", "HTTPClient", "WebSocket", nio, arguments]),
        // Not shipped: an echo for conformance suites, the load generator, the provider's stand-in.
        command(
            "websocket-echo",
            imports: ["WebSocket", hummingbird, hummingbirdCore, httpTypes, nio, logging, arguments]
        ),
        command("fake-provider", imports: ["TestSupport", arguments]),
        command("penguin-chaos", imports: ["TestSupport", "Domain", "Redis", arguments]),
        command(
            "penguin-bench",
            imports: [
                "TestSupport", "Domain", "Redis", "Store", "Events", "Queue", "Worker", "WebSocket", hummingbird, nio,
                nioPosix, logging, lifecycle, arguments,
            ]
        ),

        .target(
            name: "TestSupport",
            dependencies: [
                "Domain", "Settings", "Redis", "Store", "Events", "Queue", "WebSocket", hummingbird, httpTypes, nio,
                nioPosix, nioHTTP1, deque, grdb, logging, lifecycle, subprocess,
            ],
            path: "Tests/TestSupport",
            swiftSettings: strict
        ),
        tests(of: "Domain", imports: ["Domain"]),
        tests(of: "Settings", imports: ["Settings", "Domain"]),
        tests(of: "PenguinMetrics", imports: ["PenguinMetrics", "TestSupport", metrics]),
        tests(of: "Redis", imports: ["Redis", "TestSupport", "CHiredis", nio, nioPosix, logging]),
        tests(of: "Store", imports: ["Store", "Domain", "TestSupport", grdb]),
        tests(of: "Events", imports: ["Events", "Redis", "Domain", "TestSupport", nio, logging]),
        tests(of: "Queue", imports: ["Queue", "Events", "Store", "Redis", "Domain", "TestSupport", nio, logging]),
        tests(of: "LLM", imports: ["LLM", "HTTPClient", "Domain", "TestSupport"]),
        tests(of: "Engine", imports: ["Engine", "LLM", "Domain", "TestSupport"]),
        tests(
            of: "Worker",
            imports: [
                "Worker", "Queue", "Events", "Store", "Redis", "Engine", "LLM", "Domain", "TestSupport", nio, logging,
                lifecycle,
            ]
        ),
        tests(
            of: "WebSocket",
            imports: [
                "WebSocket", "TestSupport", hummingbird, hummingbirdCore, lifecycle, nio, nioPosix, httpTypes, logging,
            ]
        ),
        tests(
            of: "API",
            imports: [
                "API", "PenguinAPI", "PenguinServer", "Domain", "Settings", "Store", "Redis", "WebSocket",
                "TestSupport",
                httpTypes, nio, nioPosix, logging,
            ]
        ),
        tests(
            of: "Fault",
            imports: [
                "penguin-web", "penguin-worker", "penguin", "Domain", "Settings", "Store", "Redis", "WebSocket",
                "TestSupport", nio, nioPosix,
            ]
        ),
        tests(of: "Chaos", imports: ["penguin-chaos", "TestSupport", "Domain"]),
    ]
)
