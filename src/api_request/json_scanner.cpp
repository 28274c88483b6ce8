#include "api_request/json_scanner.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "api_request/name_bounds.hpp"
#include "core/json.hpp"
#include "core/text.hpp"

namespace pgrst {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<size_t>(end - begin)};
}

void append_utf8(std::string& out, uint32_t c) {
  const auto continuation = [&](int shift) {
    out += static_cast<char>(0x80 | (c >> shift & 0x3F));
  };
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | c >> 6);
    continuation(0);
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | c >> 12);
    continuation(6);
    continuation(0);
  } else {
    out += static_cast<char>(0xF0 | c >> 18);
    continuation(12);
    continuation(6);
    continuation(0);
  }
}

// What looking up one of so many names costs, in bytes of text that could be read instead.
size_t look_up_cost(size_t names) { return 32 * static_cast<size_t>(std::bit_width(names) + 1); }

}  // namespace

JsonScanner::JsonScanner(std::string_view text, OnExcess on_excess)
    : at_(text.data()), end_(text.data() + text.size()), on_excess_(on_excess) {}

bool JsonScanner::step(size_t max_bytes) {
  max_bytes = std::max<size_t>(max_bytes, 1);
  const size_t bytes = std::min(max_bytes, between(at_, end_).size());
  limit_ = at_ + bytes;
  left_over_ = max_bytes - bytes;
  const char* const at = read(at_);
  if (at != nullptr && at != end_ && !stopped_) {
    at_ = at;
    return false;
  }
  valid_ = stopped_ || (at != nullptr && may_end());
  return true;
}

// The text is read: may it end here?
bool JsonScanner::may_end() const {
  const bool ended = state_ == State::kAfterValue || state_ == State::kInteger ||
                     state_ == State::kFraction || state_ == State::kExponent;
  return ended && depth_ == 0;
}

std::vector<std::string> JsonScanner::take_names() {
  std::vector<std::string> names;
  if (!valid_ || !same_names()) return names;
  names.reserve(known_.size());
  while (!known_.empty()) names.push_back(std::move(known_.extract(known_.begin()).key()));
  return names;
}

const char* JsonScanner::read(const char* at) {
  while (at != nullptr && at < limit_ && !stopped_) {
    switch (state_) {
      case State::kInString:
      case State::kInName:
        at = read_string(at);
        break;
      case State::kInCollectedName:
        at = read_collected_name(at);
        break;
      case State::kInteger:
      case State::kFraction:
      case State::kExponent:
        at = read_digits(at);
        break;
      default:
        while (at < limit_ && is_json_space(*at)) at++;
        if (at < limit_) at = read_token(at);
    }
  }
  return at;
}

// text   = blanks, value, blanks ;
// object = "{", blanks, [ member, { blanks, ",", blanks, member } ], blanks, "}" ;
// member = string, blanks, ":", blanks, value ;
// array  = "[", blanks, [ value, { blanks, ",", blanks, value } ], blanks, "]" ;
// blanks = { " " | "\t" | "\n" | "\r" } ;
//
// At least one byte is left, and it is no blank.
const char* JsonScanner::read_token(const char* at) {
  switch (state_) {
    case State::kFirstElement:
      return *at == ']' ? close(at, false) : read_value(at);
    case State::kFirstName:
      if (*at == '}') return close(at, true);
      [[fallthrough]];
    case State::kName:
      return *at == '"' ? begin_name(at + 1) : nullptr;
    case State::kColon:
      state_ = State::kValue;
      return *at == ':' ? at + 1 : nullptr;
    case State::kAfterValue:
      if (depth_ == 0) return nullptr;
      if (*at != ',') return close(at, *at == '}');
      state_ = in_object() ? State::kName : State::kValue;
      return at + 1;
    default:
      return read_value(at);
  }
}

// value = object | array | string | number | "true" | "false" | "null" ;
const char* JsonScanner::read_value(const char* at) {
  if (depth_ == 1 && top_ == Top::kArray) {
    elements_++;
    if (*at != '{') {
      all_objects_ = false;
      stop_collecting();
    }
  }
  const auto word = [&](std::string_view expected) {
    state_ = State::kAfterValue;
    const std::string_view rest = between(at, end_);
    return rest.starts_with(expected) ? at + expected.size() : nullptr;
  };
  switch (*at) {
    case '"':
      state_ = State::kInString;
      return at + 1;
    case '{':
      return open(at, true);
    case '[':
      return open(at, false);
    case 't':
      return word("true");
    case 'f':
      return word("false");
    case 'n':
      return word("null");
    default:
      break;
  }
  // number  = [ "-" ], integer, [ ".", digits ], [ ( "e" | "E" ), [ "+" | "-" ], digits ] ;
  // integer = "0" | digit but "0", { digit } ;       digits = digit, { digit } ;
  if (*at == '-') at++;
  if (at == end_ || !is_digit(*at)) return nullptr;
  state_ = State::kInteger;
  if (*at == '0' && at + 1 != end_ && is_digit(at[1])) return nullptr;
  return read_digits(at + 1);
}

// The rest of a number. Looks beyond the limit of the step by the few bytes between two groups of
// digits only.
const char* JsonScanner::read_digits(const char* at) {
  for (;;) {
    while (at < limit_ && is_digit(*at)) at++;
    if (at >= limit_) return at;
    if (*at == '.' && state_ == State::kInteger) {
      state_ = State::kFraction;
    } else if ((*at == 'e' || *at == 'E') && state_ != State::kExponent) {
      state_ = State::kExponent;
      if (at + 1 != end_ && (at[1] == '+' || at[1] == '-')) at++;
    } else {
      state_ = State::kAfterValue;
      return at;
    }
    at++;
    if (at == end_ || !is_digit(*at)) return nullptr;
    at++;
  }
}

const char* JsonScanner::open(const char* at, bool object) {
  if (depth_ == kMaxDepth) return nullptr;
  const uint64_t bit = uint64_t{1} << (depth_ % 64);
  uint64_t& levels = levels_[depth_ / 64];
  levels = object ? levels | bit : levels & ~bit;
  depth_++;
  if (depth_ == 1) {
    top_ = object ? Top::kObject : Top::kArray;
    names_depth_ = object ? 1 : 2;
  }
  state_ = object ? State::kFirstName : State::kFirstElement;
  if (object && at_names_level()) {
    object_++;
    names_of_object_ = 0;
    expected_ = first_known_;
  }
  return at + 1;
}

const char* JsonScanner::close(const char* at, bool object) {
  if ((*at != '}' && *at != ']') || in_object() != object) return nullptr;
  if (object && at_names_level()) compare_names_of_object();
  depth_--;
  state_ = State::kAfterValue;
  return at + 1;
}

// string = '"', { char }, '"' ;
// char   = any code point from U+0020 on but '"' and "\" | escape ;
const char* JsonScanner::read_string(const char* at) {
  for (;;) {
    at += plain_json_length(between(at, limit_));
    if (at == limit_) return at;
    if (*at == '"') {
      state_ = state_ == State::kInName ? State::kColon : State::kAfterValue;
      return at + 1;
    }
    uint32_t code_point = 0;
    at = read_escape(at, code_point);
    if (at == nullptr || at >= limit_) return at;
  }
}

// escape = "\", ( '"' | "\" | "/" | "b" | "f" | "n" | "r" | "t" | "u", hex4 ) ;
// hex4   = 4 * hex digit ;      the high half of a surrogate pair is followed by the low one
const char* JsonScanner::read_escape(const char* at, uint32_t& code_point) const {
  static constexpr std::string_view kLetters = "\"\\/bfnrt";
  static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  if (end_ - at < 2 || *at != '\\') return nullptr;
  if (at[1] != 'u') {
    const size_t i = kLetters.find(at[1]);
    if (i == std::string_view::npos) return nullptr;
    code_point = static_cast<unsigned char>(kMeanings[i]);
    return at + 2;
  }
  at = read_hex(at, code_point);
  if (at == nullptr || code_point < 0xD800 || code_point > 0xDFFF) return at;
  uint32_t low = 0;
  at = code_point < 0xDC00 ? read_hex(at, low) : nullptr;
  if (low < 0xDC00 || low > 0xDFFF) return nullptr;
  code_point = 0x10000 + ((code_point - 0xD800) << 10) + (low - 0xDC00);
  return at;
}

// "\u", hex4
const char* JsonScanner::read_hex(const char* at, uint32_t& value) const {
  if (end_ - at < 6 || at[0] != '\\' || at[1] != 'u') return nullptr;
  value = 0;
  for (int i = 2; i < 6; i++) {
    const char c = at[i];
    const int digit = is_digit(c)              ? c - '0'
                      : (c >= 'a' && c <= 'f') ? c - 'a' + 10
                      : (c >= 'A' && c <= 'F') ? c - 'A' + 10
                                               : -1;
    if (digit < 0) return nullptr;
    value = value * 16 + static_cast<uint32_t>(digit);
  }
  return at + 6;
}

// Behind the opening quote of a name. Nearly always it is the one that the first object has here,
// written the same way.
const char* JsonScanner::begin_name(const char* at) {
  if (!at_names_level()) {
    state_ = State::kInName;
    return at;
  }
  if (expected_ != nullptr) {
    const std::string_view raw = expected_->raw;
    if (static_cast<size_t>(end_ - at) > raw.size() && at[raw.size()] == '"' &&
        std::memcmp(at, raw.data(), raw.size()) == 0) {
      see(*expected_);
      state_ = State::kColon;
      return at + raw.size() + 1;
    }
  }
  state_ = State::kInCollectedName;
  name_begin_ = run_begin_ = at;
  name_has_escape_ = false;
  unescaped_.clear();
  return at;
}

const char* JsonScanner::read_collected_name(const char* at) {
  for (;;) {
    at += plain_json_length(between(at, limit_));
    if (at == limit_) return at;
    if (*at == '"') {
      if (name_has_escape_) add_to_name(at);
      end_name(between(name_begin_, at));
      state_ = State::kColon;
      return at + 1;
    }
    uint32_t code_point = 0;
    const char* const behind = read_escape(at, code_point);
    if (behind == nullptr) return nullptr;
    add_to_name(at);
    if (unescaped_.size() <= kMaxName) append_utf8(unescaped_, code_point);
    name_has_escape_ = true;
    at = run_begin_ = behind;
    if (at >= limit_) return at;
  }
}

// The bytes from run_begin_ on. What makes a name longer than it may be is not needed.
void JsonScanner::add_to_name(const char* run_end) {
  if (unescaped_.size() > kMaxName) return;
  unescaped_ += between(run_begin_, run_end).substr(0, kMaxName + 1);
}

// A name of the first object is remembered; one of a further object has to be known.
void JsonScanner::end_name(std::string_view raw) {
  charge(look_up_cost(known_.size()), raw.data() + raw.size());
  const std::string_view name = name_has_escape_ ? std::string_view(unescaped_) : raw;
  const auto place = known_.lower_bound(name);
  const bool found = place != known_.end() && place->first == name;
  if (found) return see(place->second);
  if (object_ > 1) {
    same_names_ = false;
    return stop_collecting();
  }
  if (name.size() > kMaxName || known_.size() == kMaxNames) return end_in_excess(name);
  Known& known = known_.emplace_hint(place, name, Known{})->second;
  known.raw = raw;
  (last_known_ == nullptr ? first_known_ : last_known_->next) = &known;
  last_known_ = &known;
  see(known);
}

void JsonScanner::end_in_excess(std::string_view name) {
  known_.try_emplace(shorten(name, kMaxName));
  has_excess_ = true;
  stopped_ = on_excess_ == OnExcess::kStop;
  stop_collecting();
}

void JsonScanner::see(Known& known) {
  if (known.seen_in != object_) {
    known.seen_in = object_;
    names_of_object_++;
  }
  expected_ = known.next;
}

void JsonScanner::compare_names_of_object() {
  if (names_of_object_ == known_.size()) return;
  same_names_ = false;
  stop_collecting();
}

// Work at `at` that took as long as reading `cost` bytes: the step ends earlier.
void JsonScanner::charge(size_t cost, const char* at) {
  const size_t paid = std::min(cost, left_over_);
  left_over_ -= paid;
  limit_ -= std::min(cost - paid, between(at, limit_).size());
}

void JsonScanner::stop_collecting() { names_depth_ = 0; }

}  // namespace pgrst
