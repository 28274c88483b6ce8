// The one way PostgreSQL's headers come in. Include it last, after our own, std and third-party
// headers: postgres.h defines macros that other headers do not survive.
#pragma once

extern "C" {
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
}

// postgres.h brings its own printf family in as macros, which breaks members of that name in C++
// headers.
#undef snprintf
#undef vsnprintf
#undef sprintf
#undef vsprintf
#undef printf
#undef fprintf
#undef strerror
