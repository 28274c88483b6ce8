#include "api_request/payload.hpp"

#include <simdjson.h>

#include <algorithm>
#include <string_view>

#include "core/json.hpp"
#include "core/text.hpp"

namespace pgrst {

namespace {

Payload json_payload(std::string body, bool is_object, std::vector<std::string> keys) {
  Payload payload;
  payload.body = std::move(body);
  payload.is_object = is_object;
  payload.keys = std::move(keys);
  return payload;
}

}  // namespace

PayloadReader::PayloadReader(std::string body, MediaType type, bool is_rpc,
                             std::optional<std::vector<std::string>> columns)
    : body_(std::move(body)),
      type_(std::move(type)),
      columns_(std::move(columns)),
      is_rpc_(is_rpc),
      way_(choose_way(body_, type_, is_rpc, columns_.has_value())) {}

PayloadReader::Way PayloadReader::choose_way(std::string_view body, const MediaType& type,
                                             bool is_rpc, bool has_columns) {
  switch (type.kind) {
    case MediaType::Kind::kJson:
      if (has_columns) return Way::kUnreadJson;
      return body.empty() && is_rpc ? Way::kEmptyCall : Way::kJson;
    case MediaType::Kind::kCsv:
      return Way::kCsv;
    case MediaType::Kind::kUrlEncoded:
      return is_rpc ? Way::kForm : Way::kFormAsJson;
    case MediaType::Kind::kPlainText:
    case MediaType::Kind::kXml:
      return is_rpc ? Way::kRaw : Way::kRefused;
    case MediaType::Kind::kOctetStream:
      return is_rpc ? Way::kBytes : Way::kRefused;
    default:
      return Way::kRefused;
  }
}

bool PayloadReader::step(size_t max_bytes) {
  switch (way_) {
    case Way::kEmptyCall:
    case Way::kRaw:
    case Way::kRefused:
      return true;
    case Way::kUnreadJson:
      return step_over_blanks(max_bytes);
    case Way::kBytes:
      return step_hex(max_bytes);
    case Way::kJson:
    case Way::kCsv:
      if (!step_utf8(max_bytes)) return false;
      break;
    case Way::kForm:
    case Way::kFormAsJson:
      break;
  }
  if (ill_formed_) return true;
  begin_reading();
  if (auto* json = std::get_if<JsonScanner>(&reader_)) return json->step(max_bytes);
  if (auto* csv = std::get_if<CsvReader>(&reader_)) return csv->step(max_bytes);
  return std::get<FormReader>(reader_).step(max_bytes);
}

// True when the first character is found, or that there is none.
bool PayloadReader::step_over_blanks(size_t max_bytes) {
  const size_t limit = at_ + std::min(std::max<size_t>(max_bytes, 1), body_.size() - at_);
  while (at_ < limit && is_json_space(body_[at_])) at_++;
  return at_ < limit || at_ == body_.size();
}

// True when all of the body is checked, or found to be ill-formed.
bool PayloadReader::step_utf8(size_t max_bytes) {
  if (ill_formed_ || at_ == body_.size()) return true;
  // Four bytes hold a boundary.
  std::string_view piece = std::string_view(body_).substr(at_, std::max<size_t>(max_bytes, 4));
  if (at_ + piece.size() < body_.size()) piece = piece.substr(0, utf8_boundary(piece));
  ill_formed_ = !simdjson::validate_utf8(piece);
  at_ += piece.size();
  return ill_formed_ || at_ == body_.size();
}

// True when all of the body is written in digits, or there is no memory for that.
bool PayloadReader::step_hex(size_t max_bytes) {
  constexpr std::string_view kPrefix = "\\x";
  if (hex_.empty()) {
    const size_t size = kPrefix.size() + 2 * body_.size();
    if (gate_.take_memory && !gate_.take_memory(size)) error_ = errors::no_room_for_body();
    if (error_) return true;
    hex_.reserve(size);
    hex_ += kPrefix;
  }
  const std::string_view piece =
      std::string_view(body_).substr(at_, std::max<size_t>(max_bytes, 1));
  append_hex(hex_, piece);
  at_ += piece.size();
  return at_ == body_.size();
}

void PayloadReader::begin_reading() {
  if (reader_.index() != 0) return;
  if (way_ == Way::kJson) {
    // A function may take the object itself, whatever its names are.
    reader_.emplace<JsonScanner>(
        body_, is_rpc_ ? JsonScanner::OnExcess::kCheck : JsonScanner::OnExcess::kStop);
  } else if (way_ == Way::kCsv) {
    reader_.emplace<CsvReader>(body_, gate_);
  } else {
    reader_.emplace<FormReader>(body_, way_ == Way::kFormAsJson, gate_);
  }
}

Result<Payload> PayloadReader::take() {
  switch (way_) {
    case Way::kUnreadJson: {
      const bool is_object = at_ < body_.size() && body_[at_] == '{';
      return json_payload(std::move(body_), is_object, *std::move(columns_));
    }
    case Way::kEmptyCall:
      return json_payload("", true, {});
    case Way::kJson:
      return take_json();
    case Way::kCsv:
      return take_csv();
    case Way::kForm:
    case Way::kFormAsJson:
      return take_form();
    case Way::kRaw:
    case Way::kBytes: {
      if (error_) return *std::move(error_);
      Payload payload;
      payload.kind = Payload::Kind::kRaw;
      payload.body = std::move(way_ == Way::kBytes ? hex_ : body_);
      return payload;
    }
    default:
      return errors::invalid_body("Content-Type not acceptable: " +
                                  errors::quotable(to_mime(type_)));
  }
}

Result<Payload> PayloadReader::take_json() {
  auto* scanner = std::get_if<JsonScanner>(&reader_);
  if (scanner == nullptr || !scanner->valid()) {
    return errors::invalid_body("Empty or invalid json");
  }
  const JsonScanner::Top top = scanner->top();
  if (top == JsonScanner::Top::kOther ||
      (top == JsonScanner::Top::kArray && scanner->elements() == 0)) {
    return json_payload("[]", false, {});
  }
  if (!scanner->same_names()) return errors::invalid_body("All object keys must match");
  Payload payload = json_payload({}, top == JsonScanner::Top::kObject, scanner->take_names());
  payload.has_excess = scanner->has_excess();
  reader_.emplace<std::monostate>();
  if (is_rpc_ || !payload.has_excess) payload.body = std::move(body_);
  return payload;
}

Result<Payload> PayloadReader::take_csv() {
  auto* reader = std::get_if<CsvReader>(&reader_);
  if (reader == nullptr) return errors::invalid_body("The CSV is not valid UTF-8");
  PGRST_TRY(CsvJson csv, reader->take());
  return json_payload(std::move(csv.json), false, std::move(csv.names));
}

Result<Payload> PayloadReader::take_form() {
  PGRST_TRY(Form form, std::get<FormReader>(reader_).take());
  Payload payload;
  payload.has_excess = form.has_excess;
  if (way_ == Way::kFormAsJson) {
    payload.body = std::move(form.json);
    payload.is_object = true;
    payload.keys = std::move(form.names);
    return payload;
  }
  payload.kind = Payload::Kind::kForm;
  payload.keys = std::move(form.names);
  payload.form = std::move(form.pairs);
  return payload;
}

Result<Payload> read_payload(std::string body, const MediaType& type, bool is_rpc,
                             const std::optional<std::vector<std::string>>& columns) {
  PayloadReader reader(std::move(body), type, is_rpc, columns);
  while (!reader.step(std::string_view::npos)) {
  }
  return reader.take();
}

}  // namespace pgrst
