package import Domain
package import Hummingbird
import NIOCore

/// What a handler knows of its request besides the request.
package struct AppContext: RequestContext, RemoteAddressRequestContext {
    package var coreContext: CoreRequestContextStorage
    package let remoteAddress: SocketAddress?
    /// Whose request it is; set by the gatekeeper.
    package var tenant = TenantID.default
    /// The request's id, in every response and log line.
    package var requestID = ""

    package init(source: ApplicationRequestContextSource) {
        self.coreContext = .init(source: source)
        self.remoteAddress = source.channel.remoteAddress
    }
}
