import Domain
package import Hummingbird
import NIOCore

/// What a handler knows of its request besides the request.
package struct AppContext: RequestContext, RemoteAddressRequestContext {
    package var coreContext: CoreRequestContextStorage
    package let remoteAddress: SocketAddress?
    /// Whose request it is; set by the gatekeeper, and nobody in particular before it has looked.
    package var caller = Caller(tenant: .default, isAdmin: false)
    /// The request's id, in every response and log line.
    package var requestID = ""

    package init(source: ApplicationRequestContextSource) {
        self.coreContext = .init(source: source)
        self.remoteAddress = source.channel.remoteAddress
    }

    /// Whose data the request sees.
    var tenant: TenantID { self.caller.tenant }

    /// Throws 403 unless the caller may change what is everybody's.
    func requireAdmin() throws(RequestError) {
        guard !self.caller.isAdmin else { return }
        throw RequestError(
            status: .forbidden,
            code: "admin_required",
            message: "This needs the key of an administrator, one that PENGUIN_ADMIN_KEYS names."
        )
    }
}
