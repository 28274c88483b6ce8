#include <link.h>

#include <cstring>

#include "pg/session_state.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "fmgr.h"
#include "storage/bufmgr.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
}

namespace pgrst::pg {

namespace {

// Libraries that keep, in the session, what a request gives them. What begins so is one of them:
// plpython3, plv8-3.2.4.
constexpr const char* kKeepingLibraries[] = {
    "plperl",        // %_SHARED, $main::x; the same for plperlu
    "pltcl",         // global variables, GD
    "plpython",      // GD, SD, modules
    "plv8",          // globalThis
    "plr",           // the workspace
    "pllua",         // globals
    "libpljava",     // static members
    "dblink",        // named connections, which any role may use
    "pg_variables",  // variables of the session
    "orafce",        // packages with state: dbms_output, dbms_session
    "http",          // http_set_curlopt()
    "oracle_fdw",    // connections
    "tds_fdw",      "mysql_fdw", "mongo_fdw", "multicorn",
};

struct Loaded {
  unsigned long long seen = 0;  // libraries that were ever loaded
  bool first = true;
  bool keeps = false;
  bool isn = false;
};
Loaded loaded;

// The name without directory and extension begins with `name`, and is over, or goes on with a
// version.
bool is_library(const char* path, const char* name) {
  const char* slash = std::strrchr(path, '/');
  const char* base = slash == nullptr ? path : slash + 1;
  const size_t length = std::strlen(name);
  if (std::strncmp(base, name, length) != 0) return false;
  const char next = base[length];
  return next == '.' || next == '-' || (next >= '0' && next <= '9');
}

int look_at(struct dl_phdr_info* info, size_t, void* adds) {
  auto* seen = static_cast<unsigned long long*>(adds);
  if (info->dlpi_adds == loaded.seen) return 1;  // nothing new
  *seen = info->dlpi_adds;
  if (is_library(info->dlpi_name, "isn")) loaded.isn = true;
  // What was there before the first request cannot be told from what a request uses: it is the
  // administrator's, who preloads it.
  if (loaded.first) return 0;
  for (const char* name : kKeepingLibraries) {
    if (is_library(info->dlpi_name, name)) loaded.keeps = true;
  }
  return 0;
}

// setseed() makes random() foretell itself, over transactions. Afterwards nobody can.
void px_forget_seed() {
  uint64 bits = 0;
  if (!pg_strong_random(&bits, sizeof bits)) {
    ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not obtain random values")));
  }
  const double seed = static_cast<double>(static_cast<int64>(bits)) / 9223372036854775808.0;
  (void)DirectFunctionCall1(setseed, Float8GetDatum(seed));
}

// Where the extension isn has no setting isn.weak (before 18), isn_weak(true) is a variable of its
// library.
void px_forget_weak_isn() {
  if (!loaded.isn || GetConfigOption("isn.weak", true, false) != nullptr) return;
  const PGFunction function = reinterpret_cast<PGFunction>(
      load_external_function("$libdir/isn", "accept_weak_input", false, nullptr));
  if (function != nullptr) (void)DirectFunctionCall1(function, BoolGetDatum(false));
}

void look() noexcept {
  unsigned long long seen = loaded.seen;
  (void)dl_iterate_phdr(&look_at, &seen);
  loaded.seen = seen;
  loaded.first = false;
}

}  // namespace

void px_reset_session_state() {
  look();
  px_forget_seed();
  px_forget_weak_isn();
}

bool keeps_session_state() noexcept {
  look();
  // The buffers for temporary tables are as many as the first that came wanted; a session whose
  // temp_buffers says otherwise can set it no more.
  return loaded.keeps || (NLocBuffer != 0 && NLocBuffer != num_temp_buffers);
}

}  // namespace pgrst::pg
