// Included by the headers outside src/pg (but those that shared memory is made of): they must come
// before postgres.h, whose macros they would not survive. No include guard: it checks each time.
#ifdef POSTGRES_H
#error "headers outside src/pg must be included before postgres.h"
#endif
