// The pgrst.* settings as PostgreSQL sees them: one GUC for each row of core/config.cpp's table.
//
// Values: string_setting and int_setting give this process's value. A request is never configured
// by those: what counts is the launcher's view of postgresql.conf, ALTER DATABASE / ROLE and
// pgrst.config, put together by the gateway (app/snapshot.hpp), so that no session can change what
// others get.
#pragma once

#include <string>

#include "core/config.hpp"

namespace pgrst::pg {

void px_define_gucs();

// Warns of each setting of postgresql.conf under our prefix that nobody knows: a slip of the pen.
void px_warn_of_unknown_settings();

const char* string_setting(const char* name);
int int_setting(const char* name);

// This process's values of all settings that are not at their default, as row records of name and
// value. The launcher publishes them: it alone sees postgresql.conf without any role's or
// database's settings.
void px_append_set_settings(std::string& records);

// From then on, which of them this session sets, by SET or set_config(), even if that is undone
// later: what a function for db_pre_config does.
void begin_noting_settings();
// The end of it: row records of name (without "pgrst.") and value.
std::string take_noted_settings();

}  // namespace pgrst::pg
