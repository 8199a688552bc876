extension Job {
    /// The id of the answer to a chat job.
    ///
    /// A job that was put back gets one of its own each time: what it said before stays in the conversation.
    public func answerID(_ payload: ChatPayload) -> MessageID { payload.answerID.redriven(self.redrives) }
}

extension MessageID {
    /// The id after so many redrives.
    public func redriven(_ times: Int) -> MessageID {
        times == 0 ? self : MessageID(rawValue: "\(self.rawValue).\(times)")
    }
}
