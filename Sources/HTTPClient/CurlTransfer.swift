import CCurl

/// One easy handle with all that belongs to it; lives on the client's thread only.
final class CurlTransfer {
    private static let headerBytesMax = 128 * 1024

    let exchange: Exchange
    private let easy: UnsafeMutableRawPointer
    private let errorText: UnsafeMutablePointer<CChar>
    private var headerLines: UnsafeMutablePointer<curl_slist>?
    private let idleTimeout: Duration
    private let followsRedirects: Bool
    private var isAttached = false

    /// The answer whose headers are coming in; an interim answer or a redirect gives way to the next.
    private var head = Exchange.Head(status: 0, headers: OutboundHeaders())
    private var headerBytes = 0
    private var hasDeliveredHead = false
    private var isPaused = false
    private var lastActivity = ContinuousClock.now
    private var uploadedBytes: curl_off_t = 0
    /// Set when nobody reads any more.
    private var discardDeadline: ContinuousClock.Instant?
    /// What we ourselves found wrong inside a callback.
    private var ownError: HTTPClientError?

    /// Nil when libcurl cannot be given the request.
    init?(_ request: OutboundRequest, _ exchange: Exchange) {
        guard let easy = curl_easy_init() else { return nil }
        self.easy = easy
        self.exchange = exchange
        self.errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        self.errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        self.idleTimeout = request.idleTimeout
        self.followsRedirects = request.redirectsMax > 0 && (request.method == .get || request.method == .head)
        guard self.configure(request), self.setHeaders(request), self.setReceivers() else { return nil }
    }

    deinit {
        curl_easy_cleanup(self.easy)
        curl_slist_free_all(self.headerLines)
        self.errorText.deallocate()
    }

    /// The transfer that an easy handle belongs to.
    static func of(_ easy: UnsafeMutableRawPointer) -> CurlTransfer? {
        var object: UnsafeMutablePointer<CChar>?
        guard ccurl_get_private(easy, &object) == CURLE_OK, let object else { return nil }
        return Unmanaged<CurlTransfer>.fromOpaque(object).takeUnretainedValue()
    }

    func attach(to multi: CurlMulti) -> Bool {
        self.isAttached = curl_multi_add_handle(multi.handle, self.easy) == CURLM_OK
        return self.isAttached
    }

    /// Takes a finished transfer off the multi handle; its connection is kept.
    func detach(from multi: CurlMulti) {
        guard self.isAttached else { return }
        self.isAttached = false
        _ = curl_multi_remove_handle(multi.handle, self.easy)
    }

    /// Breaks the transfer off; its connection is closed unless other transfers share it.
    func abort(on multi: CurlMulti) {
        // On HTTP/2 libcurl (7.88) queues the frame that cancels the stream until the connection is written to again,
        // so on an otherwise idle connection the server would go on for as long. A shared one is busy soon enough.
        _ = self.set(CURLOPT_FORBID_REUSE, 1)
        self.detach(from: multi)
    }

    /// Goes on after the reader has made room.
    func resume() -> CURLcode {
        guard self.isPaused else { return CURLE_OK }
        self.isPaused = false
        self.lastActivity = .now
        return curl_easy_pause(self.easy, CURLPAUSE_CONT)
    }

    /// Lets the rest run out unread.
    func discard(until deadline: ContinuousClock.Instant) -> CURLcode {
        self.discardDeadline = deadline
        return self.resume()
    }

    /// When to give up unless a byte moves; nil while the reader is the one to wait for.
    func deadline() -> ContinuousClock.Instant? {
        if let discardDeadline { return discardDeadline }
        if self.isPaused { return nil }
        var uploaded: curl_off_t = 0
        if ccurl_get_offset(self.easy, CURLINFO_SIZE_UPLOAD_T, &uploaded) == CURLE_OK, uploaded > self.uploadedBytes {
            self.uploadedBytes = uploaded
            self.lastActivity = .now
        }
        return self.lastActivity + self.idleTimeout
    }

    var idleError: HTTPClientError {
        HTTPClientError(.timeout, "no byte for \(self.idleTimeout)")
    }

    /// Tells the reader how libcurl says it ended.
    func settle(_ result: CURLcode) {
        guard result != CURLE_OK else {
            self.deliverHead()
            self.exchange.finish(.complete)
            return
        }
        let text = String(cString: self.errorText)
        let error =
            self.ownError ?? HTTPClientError(result, text.isEmpty ? String(cString: curl_easy_strerror(result)) : text)
        self.exchange.finish(.failed(error))
    }
}

// MARK: Options

extension CurlTransfer {
    private func set(_ option: CURLoption, _ value: Int) -> Bool {
        ccurl_set_long(self.easy, option, value) == CURLE_OK
    }

    private func set(_ option: CURLoption, _ value: String) -> Bool {
        ccurl_set_string(self.easy, option, value) == CURLE_OK
    }

    private func configure(_ request: OutboundRequest) -> Bool {
        let isTLS = request.url.lowercased().hasPrefix("https://")
        let (seconds, attoseconds) = request.connectTimeout.components
        let milliseconds = max(1, seconds * 1000 + attoseconds / 1_000_000_000_000_000)
        return self.set(CURLOPT_URL, request.url)
            && self.set(CURLOPT_PROTOCOLS_STR, "http,https")
            && self.set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https")
            && self.set(CURLOPT_NOSIGNAL, 1)
            && self.set(CURLOPT_CONNECTTIMEOUT_MS, Int(milliseconds))
            && self.set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
            // Waiting to learn whether a connection can be shared only pays where HTTP/2 is possible.
            && self.set(CURLOPT_PIPEWAIT, isTLS ? 1 : 0)
            && self.set(CURLOPT_TCP_KEEPALIVE, 1)
            && self.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
            && self.set(CURLOPT_FOLLOWLOCATION, self.followsRedirects ? 1 : 0)
            && self.set(CURLOPT_MAXREDIRS, request.redirectsMax)
            && self.set(CURLOPT_USERAGENT, "penguin")
            && self.setMethod(request)
    }

    private func setMethod(_ request: OutboundRequest) -> Bool {
        switch request.method {
        case .get: return self.set(CURLOPT_HTTPGET, 1)
        case .head: return self.set(CURLOPT_NOBODY, 1)
        case .post: return self.setBody(request.body)
        case .patch: return self.setBody(request.body) && self.set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
        }
    }

    /// Makes it a POST with a body.
    private func setBody(_ body: [UInt8]) -> Bool {
        let size = curl_off_t(body.count)
        guard self.set(CURLOPT_POST, 1), ccurl_set_offset(self.easy, CURLOPT_POSTFIELDSIZE_LARGE, size) == CURLE_OK
        else { return false }
        return body.withUnsafeBytes { bytes in
            // libcurl copies as many bytes as the size above says; an empty array may have no address.
            guard let start = bytes.baseAddress else { return self.set(CURLOPT_COPYPOSTFIELDS, "") }
            let copy = UnsafeMutableRawPointer(mutating: start)
            return ccurl_set_pointer(self.easy, CURLOPT_COPYPOSTFIELDS, copy) == CURLE_OK
        }
    }

    private func setHeaders(_ request: OutboundRequest) -> Bool {
        // Without `Expect:` libcurl asks for leave before a large body and waits a second for servers that never give it.
        let lines = ["Expect:"] + request.headers.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" }
        for line in lines {
            guard let longer = curl_slist_append(self.headerLines, line) else { return false }
            self.headerLines = longer
        }
        return ccurl_set_pointer(self.easy, CURLOPT_HTTPHEADER, self.headerLines) == CURLE_OK
    }

    private func setReceivers() -> Bool {
        // Unretained: the loop holds the transfer until after the handle was taken off the multi handle.
        let me = Unmanaged.passUnretained(self).toOpaque()
        let header: curl_write_callback = { bytes, size, count, object in
            guard let object, let bytes else { return 0 }
            let transfer = Unmanaged<CurlTransfer>.fromOpaque(object).takeUnretainedValue()
            return transfer.receiveHeader(UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        let body: curl_write_callback = { bytes, size, count, object in
            guard let object, let bytes else { return 0 }
            let transfer = Unmanaged<CurlTransfer>.fromOpaque(object).takeUnretainedValue()
            return transfer.receiveBody(UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        return ccurl_set_pointer(self.easy, CURLOPT_PRIVATE, me) == CURLE_OK
            && ccurl_set_pointer(self.easy, CURLOPT_ERRORBUFFER, self.errorText) == CURLE_OK
            && ccurl_set_receiver(self.easy, CURLOPT_HEADERFUNCTION, header) == CURLE_OK
            && ccurl_set_pointer(self.easy, CURLOPT_HEADERDATA, me) == CURLE_OK
            && ccurl_set_receiver(self.easy, CURLOPT_WRITEFUNCTION, body) == CURLE_OK
            && ccurl_set_pointer(self.easy, CURLOPT_WRITEDATA, me) == CURLE_OK
    }
}

// MARK: Receiving

extension CurlTransfer {
    private func receiveBody(_ bytes: UnsafeRawBufferPointer) -> Int {
        self.lastActivity = .now
        self.deliverHead()
        guard self.exchange.receive(bytes) else {
            self.isPaused = true
            return Int(CURL_WRITEFUNC_PAUSE)
        }
        return bytes.count
    }

    private func receiveHeader(_ bytes: UnsafeRawBufferPointer) -> Int {
        self.lastActivity = .now
        // Trailers come the same way, after the body.
        guard !self.hasDeliveredHead else { return bytes.count }
        self.headerBytes += bytes.count
        guard self.headerBytes <= Self.headerBytesMax else {
            self.ownError = HTTPClientError(
                .tooLarge,
                "the answer's headers have more than \(Self.headerBytesMax) bytes"
            )
            return 0
        }
        let line = Self.text(of: bytes)
        if line.isEmpty {
            if self.isFinalHead { self.deliverHead() }
        } else if line.hasPrefix("HTTP/") {
            self.head = Exchange.Head(status: Self.status(in: line), headers: OutboundHeaders())
        } else if let colon = line.firstIndex(of: ":") {
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            self.head.headers.append(name: String(line[..<colon]), value: String(value))
        }
        return bytes.count
    }

    /// False for 100 Continue and its like, and for a redirect that libcurl is about to follow.
    private var isFinalHead: Bool {
        let isRedirect = (300..<400).contains(self.head.status) && self.head.headers["location"] != nil
        return self.head.status >= 200 && !(isRedirect && self.followsRedirects)
    }

    private func deliverHead() {
        guard !self.hasDeliveredHead, self.head.status != 0 else { return }
        self.hasDeliveredHead = true
        self.exchange.receive(self.head)
    }

    private static func status(in line: String) -> Int {
        let words = line.split(separator: " ", maxSplits: 2)
        return words.count > 1 ? Int(words[1]) ?? 0 : 0
    }

    /// A header line without its end and the spaces around it.
    private static func text(of bytes: UnsafeRawBufferPointer) -> String {
        let isSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x09 || byte == 0x0d || byte == 0x0a }
        guard let end = bytes.lastIndex(where: { !isSpace($0) }) else { return "" }
        return String(decoding: bytes[...end].drop(while: isSpace), as: UTF8.self)
    }
}
