/// One request to send: where, with which headers and body, and how patiently.
///
/// Its description shows neither headers nor query, since both may carry a key.
package struct OutboundRequest: Sendable {
    /// The request methods in use.
    package enum Method: String, Sendable {
        case get = "GET"
        case head = "HEAD"
        case post = "POST"
        case patch = "PATCH"
    }

    /// The method; redirects are followed for `get` and `head` only.
    package var method: Method
    /// An absolute `http` or `https` URL.
    package var url: String
    /// Header lines in order, besides those libcurl writes itself.
    package var headers: [(name: String, value: String)]
    /// The body of a POST or PATCH; ignored for the others.
    package var body: [UInt8]
    /// How long a connection may take, TLS included; 10 s.
    package var connectTimeout: Duration = .seconds(10)
    /// How long no byte may move in either direction, the wait for the first included; 120 s.
    package var idleTimeout: Duration = .seconds(120)
    /// How many redirects are followed; 0: none, the answer is the 3xx itself.
    package var redirectsMax = 0
    /// Bytes of the body held for a slow reader before the transfer is paused (one network read may go over it).
    package var bufferBytesMax = 256 * 1024

    /// A request with the default patience.
    package init(
        _ method: Method,
        _ url: String,
        headers: [(name: String, value: String)] = [],
        body: [UInt8] = []
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }

    /// Refuses what would reach the wire as something else than it says.
    func check() throws(HTTPClientError) {
        let lowercased = self.url.lowercased()
        guard lowercased.hasPrefix("http://") || lowercased.hasPrefix("https://") else {
            throw HTTPClientError(.invalidRequest, "the URL does not start with http:// or https://")
        }
        guard self.url.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else {
            throw HTTPClientError(.invalidRequest, "the URL contains a space or a control character")
        }
        for header in self.headers {
            let isClean = header.name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: ":") }
            guard isClean && !header.name.isEmpty else {
                throw HTTPClientError(.invalidRequest, "a header's name is not a token")
            }
            guard header.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }) else {
                throw HTTPClientError(.invalidRequest, "the header \(header.name) contains a control character")
            }
        }
    }
}

extension OutboundRequest: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String {
        let place = self.url.prefix { $0 != "?" && $0 != "#" }
        // Userinfo before an @ in the authority is a credential too.
        guard let at = place.lastIndex(of: "@"), let colon = place.firstIndex(of: ":") else {
            return "\(self.method.rawValue) \(place)"
        }
        return "\(self.method.rawValue) \(place[..<colon])://\(place[place.index(after: at)...])"
    }

    package var debugDescription: String { self.description }

    package var customMirror: Mirror { Mirror(self, children: ["request": self.description]) }
}
