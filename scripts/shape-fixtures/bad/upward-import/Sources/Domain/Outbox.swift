internal import Queue

struct Outbox {}
