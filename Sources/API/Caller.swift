package import Domain

/// Who makes a request, as far as it was proven.
package struct Caller: Sendable, Equatable {
    /// Whose data the caller sees.
    package let tenant: TenantID
    /// Whether the caller may change what is everybody's: the queue and the workers.
    package let isAdmin: Bool

    package init(tenant: TenantID, isAdmin: Bool) {
        self.tenant = tenant
        self.isAdmin = isAdmin
    }
}
