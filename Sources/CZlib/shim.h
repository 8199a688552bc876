// zlib: raw deflate for permessage-deflate (RFC 7692).
#include <zlib.h>
