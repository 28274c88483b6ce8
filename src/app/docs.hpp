// The explorer of the API at the admin server's /docs: a page for people.
//
// Input -> output: request and state -> the page, where the API is (/docs/api.json), or what a
// request would run (/docs/sql). Pure. The page is in src/app/docs, part of the module, and asks
// the API itself: from another origin, as the role of the token that its user types. /docs/sql
// verifies tokens as the API does and runs nothing. It takes application/json only, which pages of
// other origins cannot send without asking first, and nobody here says yes. Host is what the client
// says: it is used only where it can be nothing but a name or an address.
#pragma once

#include "core/before_postgres.hpp"

#include <string>
#include <string_view>

#include "app/admin.hpp"

namespace pgrst {

bool is_docs_path(std::string_view path);

HttpResponse docs_response(const HttpRequest& request, const AdminState& state);

// A file of the page. They live as long as the process.
struct DocsFile {
  std::string_view path;
  std::string_view type;
  std::string_view text;
  std::string etag;
};

// Null: there is none at that path.
const DocsFile* find_docs_file(std::string_view path);

// The name or address in a Host header, without the port; empty: it is neither.
std::string_view host_name(std::string_view host);

}  // namespace pgrst
