// What a request would run, as JSON: for pgrst.to_sql() and the admin server's /docs/sql.
//
// Input -> output: what begin() made of a request -> access mode, role, settings, statements and
// parameters of its transaction; or {"status", "error"} of the response, where there is none.
// Nothing is run: hints that only the database can release are left out. Pure.
#pragma once

#include "core/before_postgres.hpp"

#include <optional>
#include <string>

#include "app/pipeline.hpp"

namespace pgrst {

// Whose settings are shown: the owner of the database sees all, others not the values of
// "app.settings.*" and of settings of roles, which may hold secrets.
enum class PlanReader { kOwner, kAnybody };

std::string planned_json(BeginResult begun, PlanReader reader);

// {"Name": "value", ...} -> headers; false when it is anything else.
bool parse_header_object(const std::string& json, Headers& headers);

// {"method": "GET", "path": "/t?select=a", "headers": {...}, "body": "..."} -> request; the last
// two may be missing. nullopt when it is anything else.
std::optional<HttpRequest> parse_request_object(const std::string& json);

}  // namespace pgrst
