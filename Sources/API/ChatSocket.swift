import Domain
import Foundation
import Logging
import NIOCore
import PenguinAPI
import WebSocket

/// One client on `WS /chat/stream`: many messages, cancels and resumes over one socket.
///
/// Frames are taken in order, so messages of one conversation are submitted in the order in which they came; each job's
/// events are relayed by a task of its own. Nothing depends on the socket: a client that goes away can resume by job id.
struct ChatSocket: Sendable {
    /// Jobs that one socket may follow at once.
    private static let followedMax = 256

    let penguin: Penguin
    let tenant: TenantID
    let logger: Logger

    /// Serves the socket until it is closed.
    func run(_ socket: WebSocketConnection) async {
        let followed = FollowedJobs(max: Self.followedMax)
        await withDiscardingTaskGroup { group in
            for await message in socket.messages {
                do {
                    try await self.handle(ChatFrame(message), on: socket, followed, in: &group)
                } catch {
                    guard await self.report(error, on: socket) else { break }
                }
            }
            group.cancelAll()
        }
    }

    private func handle(
        _ frame: ChatFrame,
        on socket: WebSocketConnection,
        _ followed: FollowedJobs,
        in group: inout DiscardingTaskGroup
    ) async throws {
        switch frame {
        case .message(let request, let isVerbose):
            try followed.checkRoom()
            let ticket = try await self.penguin.submit(request, by: self.tenant)
            try await socket.send(text: ByteBuffer(bytes: ticket.start.bytes))
            self.relay(ticket.feed, to: socket, followed, isVerbose: isVerbose, in: &group)
        case .resume(let job, let cursor, let isVerbose):
            try followed.checkRoom()
            let feed = try await self.penguin.follow(job, after: cursor, of: self.tenant)
            self.relay(feed, to: socket, followed, isVerbose: isVerbose, in: &group)
        case .cancel(let id):
            // Who follows the job sees its end there, perhaps before this call returns; who does not is told here.
            let isFollowed = followed.contains(id)
            let job = try await self.penguin.cancel(id, of: self.tenant)
            if !isFollowed {
                let feed = try await self.penguin.follow(job.jobID, after: .zero, of: self.tenant)
                self.relay(feed, to: socket, followed, onlyEnd: true, in: &group)
            }
        case .ping(let value):
            try await socket.send(text: try SocketFrame.text("pong", data: value))
        }
    }

    private func relay(
        _ feed: JobFeed,
        to socket: WebSocketConnection,
        _ followed: FollowedJobs,
        isVerbose: Bool = false,
        onlyEnd: Bool = false,
        in group: inout DiscardingTaskGroup
    ) {
        followed.enter(feed.jobID)
        group.addTask {
            defer { followed.leave(feed.jobID) }
            while let events = await feed.next() {
                let frames = events.filter { event in
                    onlyEnd ? event.type.isTerminal : isVerbose || event.type.isShownToAll
                }
                guard !frames.isEmpty else { continue }
                // Waits while the client does not read; the feed then leaves the live events and reads the log.
                do { try await socket.send(texts: frames.map(\.bytes)) } catch { return }
            }
        }
    }

    /// Tells the client what was wrong with its frame; the socket stays open.
    ///
    /// False when it cannot be told.
    private func report(_ error: any Error, on socket: WebSocketConnection) async -> Bool {
        let failure: JobFailure
        switch error {
        case let error as PenguinError:
            let problems = error.problems.map { "\($0.loc.last ?? ""): \($0.msg)" }
            let code = error.code == .invalid ? "validation_failed" : error.code.rawValue
            failure = JobFailure(
                code: code,
                message: ([error.message] + problems).joined(separator: " "),
                retryable: error.isRetryable
            )
            if error.code == .internal || error.code == .unavailable {
                self.logger.warning("A frame failed", metadata: [LogKeys.error: "\(error)"])
            }
        case let error as JobFailure: failure = error
        case is WebSocketError, is CancellationError: return false
        default:
            self.logger.error("A frame failed", metadata: [LogKeys.error: "\(error)"])
            failure = JobFailure(code: "internal", message: "Something went wrong in Penguin.", retryable: false)
        }
        do {
            try await socket.send(
                text: try SocketFrame.text("error", data: EventData.Failure(jobID: nil, failure: failure))
            )
            return true
        } catch {
            return false
        }
    }
}

extension EventType {
    /// Whether clients that did not ask for `verbose` see it.
    fileprivate var isShownToAll: Bool { self != .attempt && self != .child }
}
