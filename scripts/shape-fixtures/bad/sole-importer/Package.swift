// swift-tools-version: 6.2
import PackageDescription

/// One room: its folder, and everything it may import.
func room(_ name: String, imports: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: imports)
}

func command(_ name: String, imports: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: imports, path: "Sources/Commands/\(name)")
}

func tests(of name: String, imports: [Target.Dependency]) -> Target {
    .testTarget(name: "\(name)Tests", dependencies: imports)
}

let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")

let package = Package(
    name: "fixture",
    dependencies: [
        // A comment (with a parenthesis, and room("Nowhere") in it.
        .package(url: "https://example.org/swift-nio.git", from: "2.0.0")
    ],
    targets: [
        .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),
        room("Domain"),
        room("Redis", imports: ["CHiredis", nio]),
        room("Store", imports: ["Domain", grdb]),
        room("Queue", imports: ["Domain", "Redis", "Store", "CHiredis", grdb]),
        room("Engine", imports: ["Domain"]),
        room("PenguinAPI", imports: ["Domain", "Queue"]),
        room(
            "API",
            imports: [
                "Domain", "PenguinAPI", .product(name: "Hummingbird", package: "hummingbird"),
            ]),
        command("penguin-web", imports: ["API"]),
        .target(
            name: "TestSupport",
            dependencies: ["Domain"],
            path: "Tests/TestSupport"),
        tests(of: "Store", imports: ["Store", "TestSupport", grdb]),
    ]
)
