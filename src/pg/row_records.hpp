// Writes row records (schema_cache/builder.hpp) where PostgreSQL errors may be raised.
#pragma once

#include <cstring>

#include "pg/byte_sink.hpp"

#include "pg/pg_prelude.hpp"

namespace pgrst::pg {

inline void px_append_bytes(ByteSink* out, const void* bytes, size_t length) {
  if (!out->append(static_cast<const char*>(bytes), length)) {
    ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
  }
}

// Begins a row.
inline void px_append_head(ByteSink* out, uint32 columns) {
  px_append_bytes(out, &columns, sizeof columns);
}

inline void px_append_value(ByteSink* out, const char* bytes, int32 length) {
  px_append_bytes(out, &length, sizeof length);
  px_append_bytes(out, bytes, static_cast<size_t>(length));
}

inline void px_append_number(ByteSink* out, uint32 number) {
  char text[12];
  const int length = snprintf(text, sizeof text, "%u", number);
  px_append_value(out, text, length);
}

}  // namespace pgrst::pg
