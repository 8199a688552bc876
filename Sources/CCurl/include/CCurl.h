#ifndef PENGUIN_CCURL_H
#define PENGUIN_CCURL_H
#include <curl/curl.h>
#endif
