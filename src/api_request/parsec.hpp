// A scanner that fails as Haskell's Parsec 3.1 fails, so that syntax errors read as PostgREST's do.
//
// Input -> output: UTF-8 text and a grammar written as functions -> parsed values, or the position
// and the messages of the syntax error.
//
// A parser is any callable that returns bool and reads from one Scanner. The four replies of Parsec
// are encoded so: true or false says ok or error, and whether it consumed input is whether
// position() moved. A failed parser that has moved must not be followed by an alternative;
// attempt() moves it back.
//
// The bookkeeping of Parsec (which error survives a sequence, a choice, a repetition) costs an
// allocation at nearly every step and is only of use when the whole parse fails. Therefore the
// grammar is a template over kTrack: Scanner<false> compiles to a plain recursive-descent parser,
// and only when that has failed is the text read again by Scanner<true>, which runs the same
// grammar and remembers the errors.
//
// Invariants: the text is well-formed UTF-8 and outlives the scanner; grammars are deterministic,
// so that both runs agree. No globals; thread-safe.
#pragma once

#include "core/before_postgres.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgrst::parsec {

// -- error messages ------------------------------------------------------------------------------

// In the order in which Parsec shows them.
enum class MessageKind : uint8_t { kSysUnexpect, kUnexpect, kExpect };

// How a message is spelled: `text` as it is, `text` as a Haskell string literal, or `code_point` as
// a Haskell string or character literal.
enum class MessageForm : uint8_t { kText, kShowText, kShowAsString, kShowAsChar };

struct Message {
  MessageKind kind = MessageKind::kExpect;
  MessageForm form = MessageForm::kText;
  char32_t code_point = 0;
  std::string_view text;  // a literal of the grammar: never freed
};

inline Message expect_text(std::string_view text) {
  return {MessageKind::kExpect, MessageForm::kText, 0, text};
}
inline Message expect_literal(std::string_view text) {
  return {MessageKind::kExpect, MessageForm::kShowText, 0, text};
}
inline Message expect_char(char c) {
  return {MessageKind::kExpect, MessageForm::kShowAsString, static_cast<unsigned char>(c), {}};
}

// The errors seen so far. Without tracking: nothing.
template <bool kTrack>
class Trace;

template <>
class Trace<false> {
 public:
  void reset(size_t) {}
  void merge(Trace&) {}
  void relabel(std::string_view) {}
};

template <>
class Trace<true> {
 public:
  size_t position() const { return position_; }
  const std::vector<Message>& messages() const { return messages_; }
  bool unknown() const { return messages_.empty(); }

  void reset(size_t position) {
    position_ = position;
    messages_.clear();
  }
  void add(Message message) { messages_.push_back(message); }

  // Parsec's mergeError: an error with messages beats one without, then the farther one wins, and
  // of equally far ones both are kept. Leaves `later` in an unspecified state.
  void merge(Trace& later);

  // Parsec's setExpectErrors: `text` in place of everything that was expected.
  void relabel(std::string_view text);

 private:
  size_t position_ = 0;  // byte offset
  std::vector<Message> messages_;
};

// "(line 1, column 4)" of a byte offset. Columns count code points; a tab goes on to the next
// eighth.
std::string show_position(std::string_view text, size_t position);

// "unexpected ... expecting ...", on one line.
std::string show_messages(const Trace<true>& trace);

// -- characters ----------------------------------------------------------------------------------

// A set of ASCII characters.
class AsciiSet {
 public:
  constexpr explicit AsciiSet(std::string_view members) {
    for (const char c : members) member_[static_cast<unsigned char>(c)] = true;
  }
  constexpr bool has(char c) const { return member_[static_cast<unsigned char>(c)]; }

 private:
  std::array<bool, 256> member_{};
};

struct CodePoint {
  char32_t value;
  size_t length;  // bytes
};

// The code point at `position`, which is before the end.
CodePoint decode_at(std::string_view text, size_t position);

// -- scanner -------------------------------------------------------------------------------------

template <bool kTrack>
class Scanner {
 public:
  static constexpr bool kTracks = kTrack;

  explicit Scanner(std::string_view text) : text_(text) {}
  Scanner(const Scanner&) = delete;
  Scanner& operator=(const Scanner&) = delete;

  size_t position() const { return position_; }
  std::string_view since(size_t start) const { return text_.substr(start, position_ - start); }
  Trace<kTrack>& trace() { return trace_; }

  // -- one token --

  // char c
  bool character(char c) {
    if (position_ < text_.size() && text_[position_] == c) return advance(1);
    return fail_expecting({expect_char(c)});
  }

  // string literal: an error in the middle is reported at the start, and has consumed.
  bool literal(std::string_view expected) {
    size_t matched = 0;
    while (matched < expected.size() && position_ + matched < text_.size() &&
           text_[position_ + matched] == expected[matched]) {
      matched++;
    }
    if (matched == expected.size()) return advance(matched);
    if constexpr (kTrack) {
      trace_.reset(position_);
      trace_.add(unexpected_at(position_ + matched));
      trace_.add(expect_literal(expected));
    }
    position_ += matched;
    return false;
  }

  // noneOf set
  bool none_of(const AsciiSet& set) {
    if (position_ < text_.size() && !set.has(text_[position_])) {
      return advance(decode_at(text_, position_).length);
    }
    return fail_expecting({});
  }

  // anyChar
  bool any_character() {
    if (position_ < text_.size()) return advance(decode_at(text_, position_).length);
    return fail_expecting({});
  }

  // -- runs of tokens: many (satisfy ...), which always succeed --

  bool skip_all() {
    position_ = text_.size();
    return stop_expecting({});
  }
  bool skip_one_of(const AsciiSet& set) {
    while (position_ < text_.size() && set.has(text_[position_])) position_++;
    return stop_expecting({});
  }
  bool skip_none_of(const AsciiSet& set) {
    while (position_ < text_.size() && !set.has(text_[position_])) position_++;
    return stop_expecting({});
  }
  // `accepts` gets the text and a position before its end, and says how many bytes to take (0:
  // stop). `expected` names what would have continued the run.
  template <class Accepts>
  bool skip_while(Accepts accepts, std::initializer_list<Message> expected) {
    while (position_ < text_.size()) {
      const size_t length = accepts(text_, position_);
      if (length == 0) break;
      position_ += length;
    }
    return stop_expecting(expected);
  }

  // For short cuts of grammars that do without error messages, and must read what the long way
  // reads: the characters of `set` that come next, if one of `follow` or the end is behind them; or
  // nothing.
  std::string_view take_run(const AsciiSet& set, const AsciiSet& follow) {
    static_assert(!kTrack, "a tracked parse goes the long way");
    size_t end = position_;
    while (end < text_.size() && set.has(text_[end])) end++;
    if (end < text_.size() && !follow.has(text_[end])) return {};
    const std::string_view run = text_.substr(position_, end - position_);
    position_ = end;
    return run;
  }

  // -- tokens that consume nothing --

  // eof
  bool end_of_input() {
    if constexpr (kTrack) {
      trace_.reset(position_);
      trace_.add(expect_text("end of input"));
      trace_.add(position_ == text_.size() ? unexpected_at(position_) : refused_at(position_));
    }
    return position_ == text_.size();
  }

  // notFollowedBy parser, where `parser` reads one token.
  template <class Parser>
  bool not_followed_by(Parser parser) {
    const size_t start = position_;
    if (!parser()) return true;
    if constexpr (kTrack) {
      trace_.reset(position_);
      trace_.add(refused_at(start));
    }
    position_ = start;
    return false;
  }

  // return () and mzero
  bool succeed() {
    trace_.reset(position_);
    return true;
  }
  bool guard(bool condition) {
    trace_.reset(position_);
    return condition;
  }

  // -- combinators --

  // try parser
  template <class Parser>
  bool attempt(Parser parser) {
    const size_t start = position_;
    if (parser()) return true;
    position_ = start;
    return false;
  }

  // lookAhead parser
  template <class Parser>
  bool look_ahead(Parser parser) {
    const size_t start = position_;
    if (!parser()) return false;
    position_ = start;
    return succeed();
  }

  // parser <?> text
  template <class Parser>
  bool label(std::string_view text, Parser parser) {
    const size_t start = position_;
    const bool ok = parser();
    if constexpr (kTrack) {
      if (position_ == start && !(ok && trace_.unknown())) trace_.relabel(text);
    }
    return ok;
  }

  // first <|> others <|> ...
  template <class... Parsers>
  bool choice(Parsers... parsers) {
    const size_t start = position_;
    Trace<kTrack> failed;
    bool ok = false;
    (void)(... || settles(parsers(), start, failed, ok));
    if (position_ == start) std::swap(trace_, failed);
    return ok;
  }

  // choice of parser(0) ... parser(count - 1)
  template <class Parser>
  bool first_of(size_t count, Parser parser) {
    const size_t start = position_;
    Trace<kTrack> failed;
    bool ok = false;
    for (size_t i = 0; i < count; i++) {
      if (settles(parser(i), start, failed, ok)) break;
    }
    if (position_ == start) std::swap(trace_, failed);
    return ok;
  }

  // optional parser: optionMaybe without the value. `found` says whether it was there.
  template <class Parser>
  bool option(bool& found, Parser parser) {
    const size_t start = position_;
    found = parser();
    return found || position_ == start;
  }

  // optionMaybe parser, which fills the value.
  template <class T, class Parser>
  bool option(std::optional<T>& value, Parser parser) {
    bool found = false;
    const bool ok = option(found, [&] { return parser(value.emplace()); });
    if (!found) value.reset();
    return ok;
  }

  // many parser, as Control.Applicative defines it: what the last element could have continued with
  // stays known. `parser` consumes when it succeeds.
  template <class Parser>
  bool many(Parser parser) {
    Trace<kTrack> last;
    for (;;) {
      const size_t start = position_;
      if (parser()) {
        std::swap(last, trace_);
      } else {
        if (position_ != start) return false;
        last.merge(trace_);
        std::swap(last, trace_);
        return true;
      }
    }
  }

  // item `sepBy1` separator, as Parsec defines it, with Parsec's own many: from the second element
  // on, what the last element could have continued with is forgotten.
  template <class Item, class Separator>
  bool separated(Item item, Separator separator);

  // -- nesting --

  // Recursive rules call enter() behind the token that opens a level (so that the failure has
  // consumed and ends the parse) and leave() when they are done.
  bool enter(int limit) {
    if (depth_ < limit) {
      depth_++;
      return true;
    }
    too_deep_ = true;
    return false;
  }
  void leave() { depth_--; }
  bool too_deep() const { return too_deep_; }

 private:
  bool advance(size_t length) {
    position_ += length;
    trace_.reset(position_);
    return true;
  }

  Message unexpected_at(size_t position) const {
    if (position >= text_.size()) {
      return {MessageKind::kSysUnexpect, MessageForm::kText, 0, std::string_view()};
    }
    return {MessageKind::kSysUnexpect, MessageForm::kShowAsString, decode_at(text_, position).value,
            std::string_view()};
  }

  Message refused_at(size_t position) const {
    return {MessageKind::kUnexpect, MessageForm::kShowAsChar, decode_at(text_, position).value,
            std::string_view()};
  }

  bool stop_expecting([[maybe_unused]] std::initializer_list<Message> expected) {
    if constexpr (kTrack) {
      trace_.reset(position_);
      trace_.add(unexpected_at(position_));
      for (const Message& message : expected) trace_.add(message);
    }
    return true;
  }
  bool fail_expecting(std::initializer_list<Message> expected) {
    stop_expecting(expected);
    return false;
  }

  // One alternative of choice() has answered `ok`: true when no further one may be asked.
  bool settles(bool alternative_ok, size_t start, Trace<kTrack>& failed, bool& ok) {
    ok = alternative_ok;
    if (position_ != start) return true;
    failed.merge(trace_);
    return ok;
  }

  std::string_view text_;
  size_t position_ = 0;
  int depth_ = 0;
  bool too_deep_ = false;
  Trace<kTrack> trace_;
};

// Parsers one after the other: `seq.then(a()) && seq.then(b())` is a >> b. When it goes out of
// scope it leaves in the scanner the error that Parsec's bind keeps.
template <bool kTrack>
class Sequence {
 public:
  explicit Sequence(Scanner<kTrack>& scanner) : scanner_(scanner) {
    if constexpr (kTrack) {
      position_ = scanner.position();
      kept_.reset(position_);
    }
  }
  Sequence(const Sequence&) = delete;
  Sequence& operator=(const Sequence&) = delete;
  ~Sequence() {
    if constexpr (kTrack) std::swap(scanner_.trace(), kept_);
  }

  bool then(bool ok) {
    if constexpr (kTrack) {
      if (scanner_.position() != position_) {
        std::swap(kept_, scanner_.trace());
      } else {
        kept_.merge(scanner_.trace());
      }
      position_ = scanner_.position();
    }
    return ok;
  }

 private:
  Scanner<kTrack>& scanner_;
  [[no_unique_address]] Trace<kTrack> kept_;
  [[maybe_unused]] size_t position_ = 0;
};

template <bool kTrack>
template <class Item, class Separator>
bool Scanner<kTrack>::separated(Item item, Separator separator) {
  Sequence whole(*this);
  if (!whole.then(item())) return false;
  const auto more = [&] {
    Sequence seq(*this);
    return seq.then(separator()) && seq.then(item());
  };
  size_t start = position_;
  while (more()) start = position_;
  return whole.then(position_ == start);
}

}  // namespace pgrst::parsec
