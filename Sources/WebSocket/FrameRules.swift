/// What this end accepts in a frame's header.
struct FrameRules {
    /// A client's frames are masked, a server's are not.
    ///
    /// RFC 6455, section 5.1.
    let peerMasks: Bool
    /// Whether permessage-deflate was agreed, so that the first reserved bit has a meaning.
    let allowsCompression: Bool
    let frameBytesMax: Int
}
