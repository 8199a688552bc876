final class SessionManager {}
struct Session {}
