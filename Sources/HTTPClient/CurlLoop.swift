import CCurl
import Foundation

/// The thread that owns libcurl's multi handle: follows orders, moves bytes, watches deadlines.
final class CurlLoop {
    /// The longest sleep; orders, sockets and deadlines end it sooner.
    private static let sleepMax = Duration.seconds(60)
    private static let streamsPerConnectionMax = 1000
    private static let connectionsKeptMax = 256
    /// How long a discarded answer may take to run out.
    private static let discardPatience = Duration.seconds(1)
    /// libcurl's once-per-process initialisation, which is not safe to repeat from several threads.
    private static let isLibraryReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    private let inbox: CurlInbox
    private let multi: CurlMulti
    private var transfers: [UInt64: CurlTransfer] = [:]
    /// No transfer's deadline lies before this.
    private var nextSweep = ContinuousClock.now

    private init(inbox: CurlInbox, multi: CurlMulti) {
        self.inbox = inbox
        self.multi = multi
    }

    /// Starts the thread; it ends when the inbox is closed.
    static func start(with inbox: CurlInbox) {
        Thread.detachNewThread {
            Thread.current.name = "http-client"
            self.blockBrokenPipes()
            defer { inbox.announceEnd() }
            guard self.isLibraryReady, let handle = curl_multi_init() else {
                self.refuse(inbox.close(), with: HTTPClientError(.failed, "libcurl could not be initialised"))
                return
            }
            let multi = CurlMulti(handle: handle)
            inbox.open(multi)
            CurlLoop(inbox: inbox, multi: multi).run()
            self.refuse(inbox.close(), with: .shutDown)
            curl_multi_cleanup(handle)
        }
    }

    /// Keeps a write to a closed TLS connection from killing the process.
    ///
    /// With CURLOPT_NOSIGNAL, which threads need, libcurl no longer sees to that itself, and OpenSSL's writes cannot.
    /// The signal goes to the thread that writes, so it is enough to block it here.
    private static func blockBrokenPipes() {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    private static func refuse(_ orders: [CurlOrder], with error: HTTPClientError) {
        for case .start(let exchange, _) in orders { exchange.finish(.failed(error)) }
    }

    private func run() {
        _ = ccurl_multi_set_long(self.multi.handle, CURLMOPT_MAX_CONCURRENT_STREAMS, Self.streamsPerConnectionMax)
        _ = ccurl_multi_set_long(self.multi.handle, CURLMOPT_MAXCONNECTS, Self.connectionsKeptMax)
        while true {
            let mail = self.inbox.take()
            for order in mail.orders { self.follow(order) }
            if mail.mustStop { break }
            var running: Int32 = 0
            _ = curl_multi_perform(self.multi.handle, &running)
            self.settleFinished()
            self.sweep()
            _ = curl_multi_poll(self.multi.handle, nil, 0, self.sleepMilliseconds(), nil)
        }
        for transfer in self.transfers.values {
            transfer.abort(on: self.multi)
            transfer.exchange.finish(.failed(.shutDown))
        }
        self.transfers = [:]
    }

    private func follow(_ order: CurlOrder) {
        switch order {
        case .start(let exchange, let request):
            self.begin(request, exchange)
        case .resume(let id):
            guard let transfer = self.transfers[id] else { return }
            // libcurl hands over what it holds inside this call, and may fail while it does.
            let result = transfer.resume()
            if result == CURLE_OK { self.expect(transfer) } else { self.settle(transfer, result) }
        case .cancel(let id):
            self.transfers.removeValue(forKey: id)?.abort(on: self.multi)
        case .discard(let id):
            guard let transfer = self.transfers[id] else { return }
            let result = transfer.discard(until: .now + Self.discardPatience)
            if result == CURLE_OK { self.expect(transfer) } else { self.settle(transfer, result) }
        }
    }

    private func begin(_ request: OutboundRequest, _ exchange: Exchange) {
        guard let transfer = CurlTransfer(request, exchange) else {
            exchange.finish(.failed(HTTPClientError(.failed, "libcurl refused the request's options")))
            return
        }
        guard transfer.attach(to: self.multi) else {
            exchange.finish(.failed(HTTPClientError(.failed, "libcurl refused the transfer")))
            return
        }
        self.transfers[exchange.id] = transfer
        self.expect(transfer)
    }

    private func settleFinished() {
        var remaining: Int32 = 0
        while let message = curl_multi_info_read(self.multi.handle, &remaining) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
            let result = ccurl_message_result(message)
            guard let transfer = CurlTransfer.of(easy) else { continue }
            self.settle(transfer, result)
        }
    }

    private func settle(_ transfer: CurlTransfer, _ result: CURLcode) {
        self.transfers[transfer.exchange.id] = nil
        transfer.settle(result)
        transfer.detach(from: self.multi)
    }

    /// Sees to it that the sweep looks at this transfer in time.
    private func expect(_ transfer: CurlTransfer) {
        if let deadline = transfer.deadline() { self.nextSweep = min(self.nextSweep, deadline) }
    }

    /// Ends the transfers whose deadline has passed, and finds the next deadline.
    private func sweep() {
        let now = ContinuousClock.now
        guard now >= self.nextSweep else { return }
        self.nextSweep = now + Self.sleepMax
        for transfer in Array(self.transfers.values) {
            guard let deadline = transfer.deadline() else { continue }
            if deadline > now {
                self.nextSweep = min(self.nextSweep, deadline)
            } else {
                self.transfers[transfer.exchange.id] = nil
                transfer.abort(on: self.multi)
                transfer.exchange.finish(.failed(transfer.idleError))
            }
        }
    }

    private func sleepMilliseconds() -> Int32 {
        let sleep = min(max(self.nextSweep - .now, .zero), Self.sleepMax)
        let (seconds, attoseconds) = sleep.components
        // Rounded up: waking before the deadline would only mean to sleep again.
        return Int32(seconds * 1000 + attoseconds / 1_000_000_000_000_000 + 1)
    }
}
