import Dispatch

struct Upload {}
