#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "core/wire.hpp"
#include "pg/gucs.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/guc_tables.h"
}

namespace pgrst::pg {

namespace {

constexpr size_t kMaxSettings = 96;

// The variables behind the GUCs; entry i belongs to row i of setting_specs().
bool bool_values[kMaxSettings];
int int_values[kMaxSettings];
char* string_values[kMaxSettings];
char full_names[kMaxSettings][64];

// Copies what is wrong with a value into `problem`; false when nothing is.
bool find_problem(size_t index, const char* text, char* problem, size_t size) noexcept {
  try {
    const auto message = validate_setting(setting_specs()[index], text == nullptr ? "" : text);
    if (!message) return false;
    const size_t length = message->copy(problem, size - 1);
    problem[length] = '\0';
    return true;
  } catch (...) {
    std::strncpy(problem, "could not be checked: out of memory", size);
    return true;
  }
}

// What the session has set since begin_noting_settings(); from malloc, null: nothing.
bool noting = false;
char* noted_values[kMaxSettings];

void note(size_t index, const char* value, GucSource source) {
  if (!noting || source != PGC_S_SESSION) return;
  free(noted_values[index]);
  noted_values[index] = strdup(value);
}

// Check hooks are not told the setting's name: one function for each row.
template <size_t I>
bool px_check_bool(bool* value, void**, GucSource source) {
  note(I, *value ? "on" : "off", source);
  return true;
}

template <size_t I>
bool px_check_int(int* value, void**, GucSource source) {
  char text[16];
  snprintf(text, sizeof text, "%d", *value);
  note(I, text, source);
  return true;
}

template <size_t I>
bool px_check_string(char** value, void** extra, GucSource source) {
  char problem[256];
  if (find_problem(I, *value, problem, sizeof problem)) {
    GUC_check_errdetail("The value %s.", problem);
    return false;
  }
  note(I, *value == nullptr ? "" : *value, source);
  if (source >= PGC_S_GLOBAL) *extra = px_guc_extra(1);
  return true;
}

// A secret of postgresql.conf is shown to who may read all settings. To others it is empty, not an
// error: a PostgREST that has a db-pre-config asks for every setting. What the session has set, or
// ALTER ROLE and ALTER DATABASE, which everybody can read in pg_db_role_setting, is shown as it
// would be without this library.
bool set_here[kMaxSettings];

template <size_t I>
void px_assign_secret(const char*, void* extra) {
  set_here[I] = extra != nullptr;
}

template <size_t I>
const char* px_show_secret() {
  const bool shown = set_here[I] || (IsTransactionState() &&
                                     has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_SETTINGS));
  return shown && string_values[I] != nullptr ? string_values[I] : "";
}

struct Checks {
  bool (*on_bool)(bool*, void**, GucSource);
  bool (*on_int)(int*, void**, GucSource);
  bool (*on_string)(char**, void**, GucSource);
  void (*assign_secret)(const char*, void*);
  const char* (*show_secret)();
};

template <size_t... I>
constexpr std::array<Checks, sizeof...(I)> checks_of_rows(std::index_sequence<I...>) {
  return {Checks{&px_check_bool<I>, &px_check_int<I>, &px_check_string<I>, &px_assign_secret<I>,
                 &px_show_secret<I>}...};
}
constexpr auto kChecks = checks_of_rows(std::make_index_sequence<kMaxSettings>());

GucContext context_of(const SettingSpec& spec) {
  switch (spec.context) {
    case SettingContext::kPostmaster:
      return PGC_POSTMASTER;
    case SettingContext::kSighup:
      return PGC_SIGHUP;
    case SettingContext::kSuperuser:
      return PGC_SUSET;
    case SettingContext::kUser:
      return PGC_USERSET;
  }
  return PGC_SUSET;
}

bool is_true(const char* text) { return std::strcmp(text, "on") == 0; }

void px_define_guc(size_t i, const SettingSpec& spec) {
  char* name = full_names[i];
  std::strncpy(name, "pgrst.", sizeof full_names[i] - 1);
  std::strncat(name, spec.name, sizeof full_names[i] - sizeof "pgrst.");
  const GucContext context = context_of(spec);
  const int flags = spec.secret ? GUC_NO_SHOW_ALL : 0;
  switch (spec.type) {
    case SettingType::kBool:
      DefineCustomBoolVariable(name, spec.description, nullptr, &bool_values[i],
                               is_true(spec.default_text), context, flags, kChecks[i].on_bool,
                               nullptr, nullptr);
      return;
    case SettingType::kInt:
      DefineCustomIntVariable(name, spec.description, nullptr, &int_values[i],
                              std::atoi(spec.default_text), spec.min, spec.max, context, flags,
                              kChecks[i].on_int, nullptr, nullptr);
      return;
    case SettingType::kString:
      DefineCustomStringVariable(name, spec.description, nullptr, &string_values[i],
                                 spec.default_text, context, flags, kChecks[i].on_string,
                                 spec.secret ? kChecks[i].assign_secret : nullptr,
                                 spec.secret ? kChecks[i].show_secret : nullptr);
      return;
  }
}

size_t index_of(const char* name) {
  const auto specs = setting_specs();
  for (size_t i = 0; i < specs.size(); i++) {
    if (std::strcmp(specs[i].name, name) == 0) return i;
  }
  return kMaxSettings - 1;
}

// Also true when it cannot be told.
bool is_known(const char* name) noexcept {
  try {
    return unknown_settings({{name, "", ""}}).empty();
  } catch (...) {
    return true;
  }
}

}  // namespace

void px_define_gucs() {
  const auto specs = setting_specs();
  if (specs.size() >= kMaxSettings) elog(ERROR, "there are more settings than variables for them");
  for (size_t i = 0; i < specs.size(); i++) px_define_guc(i, specs[i]);
}

// The prefix is not reserved (MarkGUCPrefixReserved): in every database of the cluster PostgREST
// sets what it likes under it, pgrst.inserted in every upsert.
void px_warn_of_unknown_settings() {
  constexpr char kPrefix[] = "pgrst.";
  px_each_guc([&](const struct config_generic* setting) {
    if ((setting->flags & GUC_CUSTOM_PLACEHOLDER) == 0 || setting->source == PGC_S_DEFAULT) return;
    if (pg_strncasecmp(setting->name, kPrefix, sizeof kPrefix - 1) != 0) return;
    if (is_known(setting->name + sizeof kPrefix - 1)) return;
    ereport(WARNING, (errcode(ERRCODE_UNDEFINED_OBJECT),
                      errmsg("unrecognized configuration parameter \"%s\"", setting->name),
                      errhint("Neither postgrest_ext nor PostgREST has a setting of that name.")));
  });
}

const char* string_setting(const char* name) {
  const char* value = string_values[index_of(name)];
  return value == nullptr ? "" : value;
}

int int_setting(const char* name) { return int_values[index_of(name)]; }

void px_append_set_settings(std::string& records) {
  const auto specs = setting_specs();
  for (size_t i = 0; i < specs.size(); i++) {
    const char* value = GetConfigOption(full_names[i], true, false);
    if (value == nullptr || std::strcmp(value, specs[i].default_text) == 0) continue;
    append_row_record(records, {specs[i].name, value});
  }
}

void begin_noting_settings() { noting = true; }

std::string take_noted_settings() {
  noting = false;
  std::string records;
  const auto specs = setting_specs();
  for (size_t i = 0; i < specs.size(); i++) {
    if (noted_values[i] == nullptr) continue;
    append_row_record(records, {specs[i].name, noted_values[i]});
    free(noted_values[i]);
    noted_values[i] = nullptr;
  }
  return records;
}

}  // namespace pgrst::pg
