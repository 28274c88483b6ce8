#include "app/description_cache.hpp"

#include <utility>

#include "core/wire.hpp"

namespace pgrst {

std::string DescriptionCache::key_of(const ResponseContext& context,
                                     const TransactionResult& result) {
  std::string key;
  WireWriter out(key);
  out.text(context.schema);
  out.enumerator(context.openapi_version);
  for (const auto& set : result.result_sets) out.text(set.body);
  return key;
}

void DescriptionCache::begin(SnapshotPtr snapshot) {
  snapshot_ = std::move(snapshot);
  kept_.clear();
  bytes_ = 0;
}

const DescriptionCache::Entry* DescriptionCache::find(const SnapshotPtr& snapshot,
                                                      const std::string& key) {
  if (snapshot != snapshot_) return nullptr;
  for (const auto& kept : kept_) {
    if (kept.key == key) return &kept.entry;
  }
  return nullptr;
}

void DescriptionCache::insert(const SnapshotPtr& snapshot, std::string key, Entry entry) {
  Kept kept{std::move(key), std::move(entry)};
  if (snapshot != snapshot_ || kept.bytes() > kMaxEntryBytes) return;
  if (find(snapshot, kept.key) != nullptr) return;
  bytes_ += kept.bytes();
  kept_.push_front(std::move(kept));
  while (bytes_ > kMaxBytes) {
    bytes_ -= kept_.back().bytes();
    kept_.pop_back();
  }
}

}  // namespace pgrst
