#include "app/admin.hpp"

#include <gtest/gtest.h>
#include <simdjson.h>

#include "app/metrics.hpp"
#include "fixtures.hpp"

namespace pgrst {
namespace {

SnapshotPtr example_snapshot() {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->schema_cache = test::build(test::harbour_catalog()).schema_cache;
  return snapshot;
}

HttpResponse ask(const AdminState& state, const std::string& path,
                 const std::string& method = "GET") {
  HttpRequest request;
  request.method = method;
  request.path = path;
  return admin_response(request, state);
}

AdminState good_state() {
  AdminState state;
  state.accepting = true;
  state.snapshot = example_snapshot();
  return state;
}

TEST(Admin, Health) {
  AdminState state = good_state();
  EXPECT_EQ(ask(state, "/live").status, 200);
  EXPECT_EQ(ask(state, "/ready").status, 200);
  state.pending = true;
  EXPECT_EQ(ask(state, "/live").status, 200);
  EXPECT_EQ(ask(state, "/ready").status, 503);
  state.pending = false;
  state.accepting = false;
  EXPECT_EQ(ask(state, "/live").status, 500);
  EXPECT_EQ(ask(state, "/ready").status, 500);
  state = AdminState();
  EXPECT_EQ(ask(state, "/ready").status, 500);
}

TEST(Admin, OnlyReadsAndOnlyWhatItKnows) {
  const AdminState state = good_state();
  EXPECT_EQ(ask(state, "/").status, 404);
  EXPECT_EQ(ask(state, "/live/").status, 404);
  EXPECT_EQ(ask(state, "").status, 404);
  EXPECT_EQ(ask(state, "/live", "POST").status, 405);
  EXPECT_EQ(ask(state, "/live", "HEAD").status, 200);
}

TEST(Admin, Config) {
  AdminState state = good_state();
  EXPECT_EQ(ask(state, "/config").status, 503);
  const std::vector<SourcedSetting> settings = {{"a", "it's", "default"}, {"b", "x\ny", "role"}};
  state.settings = &settings;
  EXPECT_EQ(ask(state, "/config").body,
            "pgrst.a = 'it''s'  # default\npgrst.b = 'x\\ny'  # role\n");
}

TEST(Admin, SchemaCacheIsJson) {
  AdminState state = good_state();
  HttpResponse response = ask(state, "/schema_cache");
  ASSERT_EQ(response.status, 200);
  ASSERT_NE(response.pieces, nullptr);
  EXPECT_EQ(response.result_body_size, HttpResponse::kUnknownSize);
  std::string body;
  while (response.pieces->next(body)) {
  }
  simdjson::dom::parser parser;
  const simdjson::dom::element document = parser.parse(body);
  size_t tables = 0;
  for (const auto table : simdjson::dom::array(document["dbTables"])) {
    EXPECT_TRUE(table["name"].is_string());
    tables++;
  }
  EXPECT_EQ(tables, state.snapshot->schema_cache.table_count());
  EXPECT_GT(simdjson::dom::array(document["dbRelationships"]).size(), 0u);
  std::string again;
  response.pieces->rewind();
  while (response.pieces->next(again)) {
  }
  EXPECT_EQ(again, body);
  state.snapshot = nullptr;
  EXPECT_EQ(ask(state, "/schema_cache").status, 503);
}

TEST(EffectiveSettings, TheLastWinsAndSecretsAreMasked) {
  const auto settings = effective_settings({{"db_max_rows", "1", "role"},
                                            {"db_max_rows", "2", "pgrst.config"},
                                            {"jwt_secret", "do not show", "database"},
                                            {"app.settings.key", "nor this", "role"},
                                            {"app.settings.key", "nor that", "pgrst.config"},
                                            {"no_setting", "x", "role"}});
  const auto find = [&](const std::string& name) {
    for (const auto& setting : settings) {
      if (setting.name == name) return setting.value + " from " + setting.source;
    }
    return std::string("none");
  };
  EXPECT_EQ(find("db_max_rows"), "2 from pgrst.config");
  EXPECT_EQ(find("jwt_secret"), "****** from database");
  EXPECT_EQ(find("app.settings.key"), "****** from pgrst.config");
  EXPECT_EQ(find("db_tx_end"), "commit from default");
  EXPECT_EQ(find("no_setting"), "none");
  EXPECT_EQ(settings.size(), setting_specs().size() + 1);
}

TEST(EffectiveSettings, AnEmptySecretIsNone) {
  for (const auto& setting : effective_settings({})) {
    EXPECT_EQ(setting.source, "default");
    if (setting.name == "jwt_secret") {
      EXPECT_EQ(setting.value, "");
    }
  }
}

TEST(Metrics, AllRoutes) {
  constexpr uint32_t kRoutes = 250;
  std::vector<uint64_t> words((Statistics::bytes_needed(kRoutes) + 7) / 8, 0);
  auto& statistics = *reinterpret_cast<Statistics*>(words.data());
  statistics.init(kRoutes);
  Sample sample;
  sample.method = "GET";
  sample.kind = ResourceKind::kRelation;
  sample.status = 200;
  for (int i = 0; i < 100; i++) {
    const std::string name = "t" + std::to_string(i);
    sample.resource = name;
    statistics.add(sample);
  }
  AdminState state = good_state();
  state.metrics = [&] { return write_metrics(statistics, {}); };
  const HttpResponse response = ask(state, "/metrics");
  ASSERT_NE(response.pieces, nullptr);
  EXPECT_EQ(response.headers[0].value, "text/plain; version=0.0.4; charset=utf-8");
  std::string text, again;
  while (response.pieces->next(text)) {
  }
  for (const char* metric : {"requests", "errors", "rows", "seconds"}) {
    const std::string name = "pgrst_route_" + std::string(metric) + "_total";
    EXPECT_NE(text.find("# TYPE " + name + " counter\n"), std::string::npos) << name;
    for (int i = 0; i < 100; i++) {
      const std::string line = name + R"({method="GET",kind="relation",schema="",resource="t)" +
                               std::to_string(i) + "\"}";
      EXPECT_NE(text.find(line), std::string::npos) << line;
    }
  }
  response.pieces->rewind();
  while (response.pieces->next(again)) {
  }
  EXPECT_EQ(again, text);
}

TEST(Metrics, LabelsAreEscaped) {
  std::vector<uint64_t> words((Statistics::bytes_needed(4) + 7) / 8, 0);
  auto& statistics = *reinterpret_cast<Statistics*>(words.data());
  statistics.init(4);
  Sample sample;
  sample.method = "GET";
  sample.kind = ResourceKind::kRelation;
  sample.schema = "api";
  sample.resource = "a\"b\\c\nd";
  sample.status = 200;
  statistics.add(sample);
  ServiceGauges gauges;
  gauges.schema_query_seconds = 0.25;
  const auto pieces = write_metrics(statistics, gauges);
  std::string text;
  while (pieces->next(text)) {
  }
  EXPECT_NE(text.find("resource=\"a\\\"b\\\\c\\nd\"} 1\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\npgrst_schema_cache_query_time_seconds 0.25\n"), std::string::npos);
  EXPECT_NE(text.find("pgrst_schema_cache_loads_total{status=\"FAIL\"} 0\n"), std::string::npos);
}

}  // namespace
}  // namespace pgrst
