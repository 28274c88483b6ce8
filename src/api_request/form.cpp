#include "api_request/form.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace pgrst {

namespace {

// What storing a pair costs, in bytes of text that could be read instead.
constexpr size_t kPairCost = 512;

}  // namespace

FormReader::FormReader(std::string_view body, bool as_json) : body_(body), as_json_(as_json) {
  if (body.starts_with('?')) pair_begin_ = searched_ = 1;
}

bool FormReader::step(size_t max_bytes) {
  size_t budget = std::max<size_t>(max_bytes, 1);
  while (state_ != State::kDone && budget > 0) budget -= std::min(budget, advance(budget));
  return state_ == State::kDone;
}

Result<Form> FormReader::take() {
  if (error_) return *std::move(error_);
  Form form;
  form.names.reserve(last_.size());
  while (!last_.empty()) form.names.push_back(std::move(last_.extract(last_.begin()).key()));
  if (as_json_) {
    form.json = json_.take();
  } else {
    form.pairs = std::move(pairs_);
  }
  return form;
}

size_t FormReader::advance(size_t budget) {
  switch (state_) {
    case State::kSplit:
      return split(budget);
    case State::kName: {
      const size_t done = decode(pair_.name, budget, name_);
      if (pair_.name.empty()) state_ = State::kValue;
      return done;
    }
    case State::kValue: {
      const size_t done = decode(*pair_.value, budget, value_);
      return done + (pair_.value->empty() ? end_pair() : 0);
    }
    default:
      return write(budget);
  }
}

// form = [ "?" ], [ pair, { ( "&" | ";" ), pair } ] ;
// A separator at the very end adds no empty pair; any other does.
size_t FormReader::split(size_t budget) {
  if (pair_begin_ >= body_.size()) {
    if (as_json_) {
      begin_json();
    } else {
      state_ = State::kDone;
    }
    return 1;
  }
  const size_t from = searched_;
  const size_t limit = from + std::min(budget, body_.size() - from);
  while (searched_ < limit && !is_pair_separator(body_[searched_])) searched_++;
  if (searched_ < limit || searched_ == body_.size()) {
    pair_ = split_pair(body_.substr(pair_begin_, searched_ - pair_begin_));
    if (!pair_.value) pair_.value.emplace();
    pair_begin_ = ++searched_;
    state_ = State::kName;
  }
  return searched_ - from;
}

// Moves a piece of `raw` over to `out`. Bytes that more may follow wait in undecided_. Decoding
// makes a text no longer, unless it is ill-formed.
size_t FormReader::decode(std::string_view& raw, size_t budget, std::string& out) {
  if (out.empty()) out.reserve(raw.size());
  const size_t length = decodable_prefix(raw, std::max<size_t>(budget, 3));
  undecided_ += decode_component(raw.substr(0, length));
  raw.remove_prefix(length);
  const size_t decided = raw.empty() ? undecided_.size() : utf8_boundary(undecided_);
  std::string piece = undecided_.substr(0, decided);
  make_valid_utf8(piece);
  out += piece;
  undecided_.erase(0, decided);
  return length + 1;
}

size_t FormReader::end_pair() {
  if (pairs_.size() == kMaxFields) {
    error_ =
        errors::invalid_body("The form has more than " + std::to_string(kMaxFields) + " fields");
    state_ = State::kDone;
    return 1;
  }
  last_.insert_or_assign(name_, pairs_.size());
  pairs_.emplace_back(std::move(name_), std::move(value_));
  name_.clear();
  value_.clear();
  state_ = State::kSplit;
  return kPairCost;
}

void FormReader::begin_json() {
  state_ = State::kJson;
  field_ = last_.begin();
  json_.put("{");
}

// A piece of a name or of a value, with what stands around it.
size_t FormReader::write(size_t budget) {
  if (field_ == last_.end()) {
    json_.put("}");
    if (json_.writing()) {
      state_ = State::kDone;
    } else {
      json_.start_writing();
      begin_json();
    }
    return 1;
  }
  const std::string_view text = in_value_ ? pairs_[field_->second].second : field_->first;
  if (written_ == 0) json_.put(in_value_ ? "\":\"" : field_ == last_.begin() ? "\"" : ",\"");
  const std::string_view piece = text.substr(written_, budget);
  json_.put_escaped(piece);
  written_ += piece.size();
  if (written_ == text.size()) {
    written_ = 0;
    if (in_value_) {
      json_.put("\"");
      ++field_;
    }
    in_value_ = !in_value_;
  }
  return piece.size() + 1;
}

}  // namespace pgrst
