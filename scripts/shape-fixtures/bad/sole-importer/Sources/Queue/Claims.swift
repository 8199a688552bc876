import CHiredis
import GRDB

struct Claims {}
