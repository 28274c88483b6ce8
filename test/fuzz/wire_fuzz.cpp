// Fuzzes the decoders of what comes through shared memory. The first byte chooses: a request, the
// head of a response, or one of the result sets of an introspection.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "pg/protocol.hpp"
#include "unit/fixtures.hpp"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

// What was understood, written again and read again, is the same.
template <class Decode, class Encode>
void check_stable(std::string_view bytes, Decode decode, Encode encode) {
  const auto message = decode(bytes);
  if (!message) return;
  const std::string written = encode(*message).substr(pgrst::pg::kSizePrefix);
  const auto again = decode(written);
  require(again.has_value());
  require(encode(*again).substr(pgrst::pg::kSizePrefix) == written);
  // One byte less is not enough, one more is too much.
  require(!decode(std::string_view(written).substr(0, written.size() - 1)));
  require(!decode(written + '\0'));
}

void check_catalog(size_t set, const std::string& bytes) {
  static const auto& example =
      *new std::vector<std::string>(pgrst::test::example_catalog().encode());
  std::vector<std::string> sets = example;
  sets[set] = bytes;
  const auto catalog = pgrst::build_catalog(sets);
  if (!catalog.ok()) {
    require(catalog.error().status == 500);
    return;
  }
  const auto& cache = catalog.value().schema_cache;
  if (set != pgrst::kTables) require(cache.table_or_null("api", "items") != nullptr);
  (void)cache.find_table("api", "itemss");
  pgrst::SettingTexts texts;
  for (const auto& setting : catalog.value().settings) {
    texts.emplace_back(setting.name, setting.value);
  }
  (void)pgrst::make_config(texts);
  require(pgrst::effective_settings(catalog.value().settings).size() >=
          pgrst::setting_specs().size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'q':
      check_stable(bytes, pgrst::pg::decode_request, pgrst::pg::encode_request);
      break;
    case 'h':
      check_stable(bytes, pgrst::pg::decode_response_head, pgrst::pg::encode_response_head);
      break;
    default:
      check_catalog(data[0] % pgrst::kCatalogResultCount, bytes);
  }
  return 0;
}
