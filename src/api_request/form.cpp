#include "api_request/form.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace pgrst {

namespace {

// What storing a pair costs, in bytes of text that could be read instead.
constexpr size_t kPairCost = 512;

}  // namespace

FormReader::FormReader(std::string_view body, bool as_json, const BodyGate& gate)
    : body_(body), as_json_(as_json), gate_(gate) {
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
  form.names = std::move(names_);
  form.has_excess = has_excess_;
  if (as_json_) {
    form.json = json_.writing() ? json_.take() : "{}";
  } else if (!has_excess_) {
    form.pairs = std::move(pairs_);
  }
  return form;
}

size_t FormReader::fail(Error error) {
  error_ = std::move(error);
  state_ = State::kDone;
  return 1;
}

size_t FormReader::advance(size_t budget) {
  switch (state_) {
    case State::kSplit:
      return split(budget);
    case State::kName: {
      const size_t done = decode(pair_.name, budget, name_);
      if (name_.size() > kMaxName) return end_in_excess();
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
    end_fields();
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
    return fail(
        errors::invalid_body("The form has more than " + std::to_string(kMaxFields) + " fields"));
  }
  if (last_.size() == kMaxNames && last_.find(name_) == last_.end()) return end_in_excess();
  last_.insert_or_assign(name_, pairs_.size());
  pairs_.emplace_back(std::move(name_), std::move(value_));
  name_.clear();
  value_.clear();
  state_ = State::kSplit;
  return kPairCost;
}

size_t FormReader::end_in_excess() {
  has_excess_ = true;
  last_.try_emplace(shorten(name_, kMaxName));
  end_fields();
  return kPairCost;
}

void FormReader::end_fields() {
  names_.reserve(last_.size());
  for (const auto& [name, pair] : last_) names_.push_back(name);
  state_ = State::kDone;
  if (!as_json_ || has_excess_ || (gate_.wants && !gate_.wants(names_))) return;
  begin_json();
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
    } else if (gate_.take_memory && !gate_.take_memory(json_.size())) {
      return fail(errors::no_room_for_body());
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
