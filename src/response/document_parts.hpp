// What the descriptions of the API have in common: how they are cut into pieces, what they call
// types, and what they say of the whole.
//
// Input -> output: parts, each of them so many pieces of text -> one BodyPieces that gives them in
// turn. A piece is written anew whenever it is asked for: nothing is held. Whatever the functions
// write from is theirs to keep.
#pragma once

#include "core/before_postgres.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/http_message.hpp"
#include "core/json_builder.hpp"
#include "response/api_description.hpp"

namespace pgrst {

struct DocumentPart {
  size_t pieces = 1;
  std::function<void(std::string& out, size_t piece)> write;
};

std::unique_ptr<BodyPieces> make_pieces(std::vector<DocumentPart> parts);

// The release of PostgREST whose API this is, and where that is described.
inline constexpr std::string_view kApiVersion = "16.2";
inline constexpr std::string_view kApiDocumentation =
    "https://postgrest.org/en/v16/references/api.html";

// Title and description.
Comment about_api(const ApiDescription& api);

bool is_primary_key(const Table& table, const Column& column);

// The type of JSON that values of an SQL type become; empty: any.
std::string_view json_type(std::string_view sql_type);
bool is_array(std::string_view sql_type);
std::string_view element_type(std::string_view array_type);

bool is_json(std::string_view text);

// {"$ref": "#/kind/name"}
void add_reference(JsonBuilder& json, std::string_view kind, std::string_view name);

}  // namespace pgrst
