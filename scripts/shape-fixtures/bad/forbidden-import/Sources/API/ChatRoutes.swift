import Engine

struct ChatRoutes {}
