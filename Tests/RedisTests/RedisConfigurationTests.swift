import Redis
import Testing

@Suite(.timeLimit(.minutes(1))) struct RedisConfigurationTests {
    private typealias Case = (url: String, expected: RedisConfiguration)

    @Test func `every form of URL is read`() throws {
        let cases: [Case] = [
            ("redis://localhost", .init(address: .tcp(host: "localhost", port: 6379))),
            ("REDIS://localhost/", .init(address: .tcp(host: "localhost", port: 6379))),
            ("redis://h:7000/5", .init(address: .tcp(host: "h", port: 7000), database: 5)),
            ("redis://[::1]:7000", .init(address: .tcp(host: "::1", port: 7000))),
            ("redis://[::1]", .init(address: .tcp(host: "::1", port: 6379))),
            ("redis://:pw@h", .init(address: .tcp(host: "h", port: 6379), password: "pw")),
            ("redis://me@h", .init(address: .tcp(host: "h", port: 6379), username: "me")),
            ("redis://me:p:w@h", .init(address: .tcp(host: "h", port: 6379), username: "me", password: "p:w")),
            (
                "redis://m%40e:%2F%3a%25%C3%BC@h",
                .init(address: .tcp(host: "h", port: 6379), username: "m@e", password: "/:%ü")
            ),
            ("rediss://h", .init(address: .tcp(host: "h", port: 6379), tls: .init())),
            (
                "rediss://h/1?cacert=/etc/ca%20file.pem",
                .init(
                    address: .tcp(host: "h", port: 6379),
                    tls: .init(authoritiesFile: "/etc/ca file.pem"),
                    database: 1
                )
            ),
            ("unix:///run/redis.sock", .init(address: .unix(path: "/run/redis.sock"))),
            ("unix:///run/redis.sock?db=4", .init(address: .unix(path: "/run/redis.sock"), database: 4)),
            (
                "unix://me:pw@/run/r%20s.sock",
                .init(address: .unix(path: "/run/r s.sock"), username: "me", password: "pw")
            ),
        ]
        for (url, expected) in cases { #expect(try RedisConfiguration(url: url) == expected, "\(url)") }
    }

    @Test(arguments: [
        ("", "no scheme"), ("localhost:6379", "no scheme"), ("http://h", "scheme 'http'"), ("redis://", "no host"),
        ("redis://:7000", "no host"), ("redis://h:0", "port"), ("redis://h:65536", "port"), ("redis://h:x", "port"),
        ("redis://h:", "port"), ("redis://h/x", "database"), ("redis://h/-1", "database"),
        ("redis://h/1/2", "database"),
        ("redis://[::1", "']'"), ("redis://[::1]x", "after the IPv6"), ("redis://h h", "host with characters"),
        ("redis://me:p%4@h", "two hex digits"), ("redis://me:p%zz@h", "two hex digits"), ("redis://me:%ff@h", "UTF-8"),
        ("redis://h?cacert=/x", "option"), ("redis://h?tls=1", "option"), ("rediss://h?cacert=x", "absolute"),
        ("unix://", "no path"), ("unix:///", "no path"), ("unix://host/path", "host before"),
        ("unix:///x?db=y", "database"), ("redis://h#f", "%23"),
    ])
    func `an unusable URL says what is wrong`(url: String, part: String) {
        let error = #expect(throws: RedisError.self) { try RedisConfiguration(url: url) }
        #expect(error?.code == .badURL)
        #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
    }

    @Test(arguments: [
        "redis://me:hunter2@h:x", "redis://me:hunter2/x@h", "redis://me:1?hunter2@h", "redis://me:hun%zzter2@h",
        "redis://me:hunter2#@h", "redis://:hunter2@", "foo://me:hunter2@h", "redis://hunter2 @ h",
        "unix://:hunter2@h/x",
    ])
    func `no error repeats the password`(url: String) {
        let error = #expect(throws: RedisError.self) { try RedisConfiguration(url: url) }
        #expect(error?.description.contains("hun") == false)
        #expect(error?.description.contains("ter2") == false)
    }

    @Test(arguments: ["redis://me:hunter2@h/1", "redis://:hunter2@h", "rediss://me:hunter2@h", "unix://:hunter2@/x"])
    func `no description shows the password`(url: String) throws {
        let configuration = try RedisConfiguration(url: url)
        var dumped = ""
        dump([configuration], to: &dumped)
        for text in ["\(configuration)", String(reflecting: configuration), "\([configuration])", dumped] {
            #expect(!text.contains("hunter2"))
            #expect(text.contains("***"))
        }
    }

    @Test func `the description is the URL`() throws {
        for url in ["redis://h:6379/0", "rediss://me:***@[::1]:7000/3", "unix:///x.sock?db=2"] {
            #expect(try RedisConfiguration(url: url).description == url)
        }
    }
}
