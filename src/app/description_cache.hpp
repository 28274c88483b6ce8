// Descriptions of the API that were written before.
//
// Input -> output: what a description is written from -> its body, or only its size where it is too
// large to be held. A description depends on the snapshot, the schema, the format and what the role
// may see, which each request asks the database: whoever sees the same gets the same body, and a
// right that was given or taken a moment ago counts. Holds descriptions of one snapshot only.
// Invariants: at most kMaxBytes; when there is no room, the oldest go. Ownership: of all it holds.
#pragma once

#include "core/before_postgres.hpp"

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>

#include "app/snapshot.hpp"
#include "query/transaction.hpp"
#include "response/response.hpp"

namespace pgrst {

class DescriptionCache {
 public:
  static constexpr size_t kMaxBytes = 16 * 1024 * 1024;  // of keys and bodies
  static constexpr size_t kMaxEntryBytes = 4 * 1024 * 1024;

  struct Entry {
    std::string body;   // empty: too large to be held
    uint64_t size = 0;  // of the body, held or not
  };

  // All that the description depends on beside the snapshot.
  static std::string key_of(const ResponseContext& context, const TransactionResult& result);

  // From now on the descriptions of this snapshot are kept, and no others.
  void begin(SnapshotPtr snapshot);

  // Null when there is none. Valid until the next call.
  const Entry* find(const SnapshotPtr& snapshot, const std::string& key);
  // Of another snapshot than the present one it is passed over.
  void insert(const SnapshotPtr& snapshot, std::string key, Entry entry);

  size_t bytes() const { return bytes_; }

 private:
  struct Kept {
    std::string key;
    Entry entry;
    size_t bytes() const { return key.size() + entry.body.size(); }
  };
  SnapshotPtr snapshot_;  // that the entries belong to
  std::list<Kept> kept_;  // the newest first
  size_t bytes_ = 0;
};

}  // namespace pgrst
