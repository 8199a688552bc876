// libhiredis: only its RESP reader and formatter are used; the sockets are SwiftNIO's.
#include <hiredis/hiredis.h>
