let highKey = "jobs:high"
let subscribe = "SUBSCRIBE"
