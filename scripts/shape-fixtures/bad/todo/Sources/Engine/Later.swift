// TODO: write this
struct Later {
    /// FIXME later
    let first = 1
    /*
     A block, with its
     TODO in the third line.
     */
    let second = 2  // HACK
}
