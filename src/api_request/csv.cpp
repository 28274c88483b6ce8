#include "api_request/csv.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace pgrst {

namespace {

constexpr std::array<bool, 256> kEndsUnquoted = [] {
  std::array<bool, 256> ends{};
  for (const unsigned char c : {',', '\r', '\n', '"'}) ends[c] = true;
  return ends;
}();

// What making a column costs, in bytes of text that could be read instead.
constexpr size_t kColumnCost = 512;

// The text of a field in quotes.
std::string unquote(std::string_view raw) {
  std::string text;
  text.reserve(raw.size());
  for (size_t i = 0; i < raw.size(); i++) {
    text += raw[i];
    if (raw[i] == '"') i++;
  }
  return text;
}

}  // namespace

CsvReader::CsvReader(std::string_view body, const BodyGate& gate) : body_(body), gate_(gate) {}

bool CsvReader::step(size_t max_bytes) {
  size_t budget = std::max<size_t>(max_bytes, 1);
  while (state_ != State::kDone && budget > 0) budget -= std::min(budget, advance(budget));
  return state_ == State::kDone;
}

Result<CsvJson> CsvReader::take() {
  if (error_) return *std::move(error_);
  return CsvJson{json_.writing() ? json_.take() : "[]", std::move(names_)};
}

size_t CsvReader::fail(std::string message) {
  error_ = errors::invalid_body(std::move(message));
  state_ = State::kDone;
  return 1;
}

// csv    = header, line break, record, { line break, record } ;
// header = record ;                      record = field, { ",", field } ;
// field  = quoted | { any byte but ",", '"', CR and LF } ;
// quoted = '"', { any byte but '"' | '"', '"' }, '"' ;
// line break = LF | CR, LF | CR ;
size_t CsvReader::advance(size_t budget) {
  if (in_header_ && state_ != State::kHeader) {
    if (at_ > kMaxHeaderSize) return fail("The header of the CSV is too long");
    budget = std::min(budget, kMaxHeaderSize + 1 - at_);
  }
  switch (state_) {
    case State::kField:
      return begin_field(budget);
    case State::kUnquoted:
      return read_unquoted(budget);
    case State::kQuoted:
      return read_quoted(budget);
    case State::kHeader:
      return add_column();
    default:
      return write_record(budget);
  }
}

// -- reading -------------------------------------------------------------------------------------

size_t CsvReader::begin_field(size_t budget) {
  const bool quoted = at_ < body_.size() && body_[at_] == '"';
  if (quoted) at_++;
  field_ = {at_, at_, false};
  state_ = quoted ? State::kQuoted : State::kUnquoted;
  return 1 + (quoted ? read_quoted(budget) : read_unquoted(budget));
}

size_t CsvReader::read_unquoted(size_t budget) {
  const size_t from = at_;
  const size_t limit = from + std::min(budget, body_.size() - from);
  while (at_ < limit && !kEndsUnquoted[static_cast<unsigned char>(body_[at_])]) at_++;
  if (at_ == limit && limit < body_.size()) return at_ - from;
  if (at_ < body_.size() && body_[at_] == '"') {
    return fail("The CSV has a quote inside a field without quotes");
  }
  end_field(at_);
  return at_ - from + 1;
}

size_t CsvReader::read_quoted(size_t budget) {
  const size_t from = at_;
  const size_t limit = from + std::min(budget, body_.size() - from);
  at_ = std::min(body_.substr(0, limit).find('"', from), limit);
  if (at_ == body_.size()) return fail("The CSV has a field without closing quote");
  if (at_ == limit) return at_ - from;
  const size_t quote = at_++;
  if (at_ < body_.size() && body_[at_] == '"') {
    field_.has_quote = true;
    at_++;
    return at_ - from;
  }
  if (at_ < body_.size() && !kEndsUnquoted[static_cast<unsigned char>(body_[at_])]) {
    return fail("The CSV has text behind a closing quote");
  }
  end_field(quote);
  return at_ - from;
}

// at_ is at what ends the field: a comma, a line break or the end.
void CsvReader::end_field(size_t end) {
  field_.end = end;
  field_count_++;
  if (in_header_ ? fields_.size() <= kMaxNames : fields_.size() < columns_.size()) {
    fields_.push_back(field_);
  }
  last_record_ = at_ == body_.size();
  const char c = last_record_ ? '\n' : body_[at_++];
  if (c == ',') {
    state_ = State::kField;
    return;
  }
  if (c == '\r' && at_ < body_.size() && body_[at_] == '\n') at_++;
  end_record();
}

void CsvReader::end_record() {
  if (in_header_) return begin_header();
  if (is_blank_line()) return last_record_ ? end_records() : begin_record();
  const size_t size = fields_.size();
  if (first_size_ == 0) first_size_ = size;
  uniform_ = uniform_ && columns_[size - 1].distinct == columns_[first_size_ - 1].distinct;
  if (!uniform_) return last_record_ ? end_records() : begin_record();
  state_ = State::kRecord;
  writing_ = 0;
  first_in_object_ = true;
  if (!first_object_) json_.put(",");
  json_.put("{");
  first_object_ = false;
}

bool CsvReader::is_blank_line() const {
  return field_count_ == 1 && fields_[0].begin == fields_[0].end;
}

void CsvReader::begin_header() {
  if (last_record_) {
    fail("The CSV has no header line");
    return;
  }
  if (fields_.size() > kMaxNames) {
    fail("The header of the CSV is too long");
    return;
  }
  records_begin_ = at_;
  columns_.reserve(fields_.size());
  state_ = State::kHeader;
}

size_t CsvReader::add_column() {
  const size_t i = columns_.size();
  if (i == fields_.size()) {
    in_header_ = false;
    last_column_.clear();
    begin_records();
    return 1;
  }
  const std::string_view raw = body_.substr(fields_[i].begin, fields_[i].end - fields_[i].begin);
  Column& column = columns_.emplace_back();
  column.name = unquote(raw);
  append_json_string(column.prefix, column.name);
  column.prefix += ':';
  column.next_same_name = fields_.size();
  const auto [place, is_new] = last_column_.try_emplace(column.name, i);
  if (!is_new) columns_[std::exchange(place->second, i)].next_same_name = i;
  column.distinct = last_column_.size();
  return raw.size() + kColumnCost;
}

void CsvReader::begin_records() {
  at_ = records_begin_;
  first_object_ = true;
  json_.put("[");
  begin_record();
}

void CsvReader::begin_record() {
  fields_.clear();
  field_count_ = 0;
  state_ = State::kField;
}

void CsvReader::end_records() {
  if (!uniform_) {
    fail("All lines must have same number of fields");
    return;
  }
  json_.put("]");
  if (json_.writing()) {
    state_ = State::kDone;
  } else {
    begin_writing();
  }
}

void CsvReader::begin_writing() {
  for (size_t i = 0; i < first_size_; i++) {
    if (columns_[i].next_same_name >= first_size_) names_.push_back(columns_[i].name);
  }
  std::sort(names_.begin(), names_.end());
  if (gate_.wants && !gate_.wants(names_)) {
    state_ = State::kDone;
  } else if (json_.size() > kMaxJsonSize) {
    fail("The CSV is too large as JSON");
  } else if (gate_.take_memory && !gate_.take_memory(json_.size())) {
    error_ = errors::no_room_for_body();
    state_ = State::kDone;
  } else {
    json_.start_writing();
    begin_records();
  }
}

// -- writing -------------------------------------------------------------------------------------

// The name or a piece of the value of the next field.
size_t CsvReader::write_record(size_t budget) {
  if (writing_ == fields_.size()) {
    json_.put("}");
    if (last_record_) {
      end_records();
    } else {
      begin_record();
    }
    return 1;
  }
  Field& field = fields_[writing_];
  if (in_value_) return write_value(field, budget);
  if (columns_[writing_].next_same_name < fields_.size()) {
    writing_++;
    return 1;
  }
  return write_name(field, budget);
}

size_t CsvReader::write_name(Field& field, size_t budget) {
  const std::string& prefix = columns_[writing_].prefix;
  if (!first_in_object_) json_.put(",");
  first_in_object_ = false;
  json_.put(prefix);
  if (body_.substr(field.begin, field.end - field.begin) == "NULL") {
    json_.put("null");
    writing_++;
    return prefix.size() + 1;
  }
  json_.put("\"");
  in_value_ = true;
  return prefix.size() + write_value(field, budget);
}

// Up to the next quote, of which there are two.
size_t CsvReader::write_value(Field& field, size_t budget) {
  std::string_view piece = body_.substr(field.begin, std::min(budget, field.end - field.begin));
  if (field.has_quote) {
    const size_t quote = piece.find('"');
    if (quote != std::string_view::npos) {
      piece = piece.substr(0, quote + 1);
      field.begin++;
    }
  }
  json_.put_escaped(piece);
  field.begin += piece.size();
  if (field.begin == field.end) {
    json_.put("\"");
    in_value_ = false;
    writing_++;
  }
  return piece.size() + 1;
}

}  // namespace pgrst
