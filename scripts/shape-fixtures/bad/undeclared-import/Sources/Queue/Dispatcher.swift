import Domain
import Foundation
import Logging
@testable package import struct PenguinExtras.Clock
import Testing

struct Dispatcher {}
