// Sums over rows of catalogs.
#pragma once

#include <cstring>

#include "pg/pg_prelude.hpp"

extern "C" {
#include "access/htup_details.h"
#include "common/hashfn.h"
}

namespace pgrst::pg {

inline uint64 mix(uint64 sum, uint64 value) {
  return hash_combine64(sum, hash_bytes_uint32_extended(static_cast<uint32>(value), value >> 32));
}

inline uint64 hash_of_text(const char* text, size_t length, uint64 seed) {
  return hash_bytes_extended(reinterpret_cast<const unsigned char*>(text), static_cast<int>(length),
                             seed);
}

inline uint64 hash_of_name(const NameData& name) {
  return hash_of_text(name.data, strlen(name.data), 0);
}

// Catalog, object and version of a row.
inline uint64 hash_of_row(Oid catalog, uint64 object, HeapTuple tuple) {
  return mix(mix(catalog, object), HeapTupleHeaderGetRawXmin(tuple->t_data));
}

}  // namespace pgrst::pg
