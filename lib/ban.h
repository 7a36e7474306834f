/* Functions that cut silently, have no bound, or read the locale: using one does not compile.
   Included last in every .c file. */
#ifndef LAPSE_BAN_H
#define LAPSE_BAN_H

#undef alloca
#undef strncpy
#undef strcpy
#undef strcat
#undef strncat
#undef sprintf
#undef vsprintf

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets strtok
#pragma GCC poison atoi atol atoll atof alloca tmpnam mktemp tempnam
#pragma GCC poison asctime ctime localtime localtime_r mktime

#endif
