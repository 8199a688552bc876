import Domain
import PenguinAPI
import Redis

struct Backup {}
