#include <array>
#include <cstring>
#include <utility>

#include "core/wire.hpp"
#include "pg/gucs.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "utils/guc.h"
#include "utils/guc_tables.h"
}

namespace pgrst::pg {

namespace {

constexpr size_t kMaxSettings = 64;

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

// Check hooks are not told the setting's name: one function for each row.
template <size_t I>
bool px_check_string(char** value, void**, GucSource) {
  char problem[256];
  if (!find_problem(I, *value, problem, sizeof problem)) return true;
  GUC_check_errdetail("The value %s.", problem);
  return false;
}

using StringCheck = bool (*)(char**, void**, GucSource);

template <size_t... I>
constexpr std::array<StringCheck, sizeof...(I)> string_checks(std::index_sequence<I...>) {
  return {&px_check_string<I>...};
}
constexpr auto kStringChecks = string_checks(std::make_index_sequence<kMaxSettings>());

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
  const int flags = spec.secret ? GUC_SUPERUSER_ONLY | GUC_NO_SHOW_ALL : 0;
  switch (spec.type) {
    case SettingType::kBool:
      DefineCustomBoolVariable(name, spec.description, nullptr, &bool_values[i],
                               is_true(spec.default_text), context, flags, nullptr, nullptr,
                               nullptr);
      return;
    case SettingType::kInt:
      DefineCustomIntVariable(name, spec.description, nullptr, &int_values[i],
                              std::atoi(spec.default_text), spec.min, spec.max, context, flags,
                              nullptr, nullptr, nullptr);
      return;
    case SettingType::kString:
      DefineCustomStringVariable(name, spec.description, nullptr, &string_values[i],
                                 spec.default_text, context, flags, kStringChecks[i], nullptr,
                                 nullptr);
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

}  // namespace

void px_define_gucs() {
  const auto specs = setting_specs();
  static_assert(kMaxSettings >= 60);
  for (size_t i = 0; i < specs.size(); i++) px_define_guc(i, specs[i]);
  px_reserve_guc_prefix("pgrst");
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
    WireWriter out(records);
    out.number(uint32_t{2});
    for (const char* text : {specs[i].name, value}) {
      const size_t length = std::strlen(text);
      out.number(static_cast<int32_t>(length));
      records.append(text, length);
    }
  }
}

}  // namespace pgrst::pg
