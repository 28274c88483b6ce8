// A set of object ids that remembers their order, in the memory context that is current when it
// grows. Trivial, as everything is that a PostgreSQL error may leave behind: begins as all zeroes.
#pragma once

#include <cstring>

#include "pg/pg_prelude.hpp"

extern "C" {
#include "common/hashfn.h"
#include "utils/palloc.h"
}

namespace pgrst::pg {

struct OidSet {
  Oid* items;  // in the order in which they came
  uint32 count;
  uint32 capacity;  // of items; a power of two, or 0
  Oid* slots;       // twice as many, open addressing; InvalidOid: free
};

inline uint32 slot_of(const OidSet& set, Oid oid) {
  const uint32 mask = set.capacity * 2 - 1;
  uint32 at = murmurhash32(oid) & mask;
  while (set.slots[at] != InvalidOid && set.slots[at] != oid) at = (at + 1) & mask;
  return at;
}

inline bool contains(const OidSet& set, Oid oid) {
  return set.capacity != 0 && oid != InvalidOid && set.slots[slot_of(set, oid)] == oid;
}

inline void px_grow(OidSet* set) {
  const uint32 capacity = set->capacity == 0 ? 64 : set->capacity * 2;
  const Size size = sizeof(Oid) * capacity;
  set->items =
      static_cast<Oid*>(set->items == nullptr ? MemoryContextAllocHuge(CurrentMemoryContext, size)
                                              : repalloc_huge(set->items, size));
  if (set->slots != nullptr) pfree(set->slots);
  set->slots = static_cast<Oid*>(MemoryContextAllocHuge(CurrentMemoryContext, size * 2));
  memset(set->slots, 0, size * 2);
  set->capacity = capacity;
  for (uint32 i = 0; i < set->count; i++) set->slots[slot_of(*set, set->items[i])] = set->items[i];
}

// True when it is new. InvalidOid is never in a set.
inline bool px_add(OidSet* set, Oid oid) {
  if (oid == InvalidOid || contains(*set, oid)) return false;
  if (set->count == set->capacity) px_grow(set);
  set->slots[slot_of(*set, oid)] = oid;
  set->items[set->count++] = oid;
  return true;
}

}  // namespace pgrst::pg
