import Glibc
import NIOCore
import Redis

struct Tools {}
