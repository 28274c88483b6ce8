#include "auth/iregexp.hpp"

#include <algorithm>
#include <memory>
#include <optional>

#include "auth/text_cursor.hpp"
#include "core/text.hpp"

namespace pgrst {

namespace {

constexpr uint32_t kMaxRepeat = 1000;
constexpr uint32_t kUnbounded = UINT32_MAX;

bool is_punctuation(char c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
         (c >= '{' && c <= '~');
}

}  // namespace

// From text to a tree, and from the tree to a program.
//
//   regexp     = branch *( "|" branch )
//   branch     = *( atom [ quantifier ] )
//   quantifier = "*" / "+" / "?" / "{" 1*DIGIT [ "," [ 1*DIGIT ] ] "}"
//   atom       = normal / "." / "^" / "$" / escape / category / set / "(" regexp ")"
//   normal     = any character but ( ) * + . ? [ \ ] { | } ^ $
//   escape     = "\" ( "n" / "r" / "t" / ASCII punctuation )
//   category   = "\" ( "p" / "P" ) "{" name "}"
//   set        = "[" [ "^" ] ( "-" / item ) *item [ "-" ] "]"
//   item       = member [ "-" member ] / category
//   member     = any character but - [ \ ], or an escape
//
// RFC 9485, 4 but for "^", "$" and the wider escape. Bounds: kMaxPatternBytes, kMaxPatternDepth
// groups in one another, kMaxRepeat for a number in braces, kMaxInstructions for the program, and
// as many nodes visited to make it (a repetition of nothing makes no instruction).
class IregexpCompiler {
 public:
  explicit IregexpCompiler(std::string_view pattern) : in_(pattern) {}

  std::variant<Iregexp, std::string> compile() {
    Node tree;
    if (in_.rest().size() > kMaxPatternBytes) {
      in_.fail("the regular expression is too long");
    } else if (regexp(tree, 0) && !in_.at_end()) {
      in_.fail("unbalanced parenthesis");
    }
    if (!in_.complaint() && (!emit(tree) || !add({Op::kAccept, 0, 0}))) {
      in_.fail("the regular expression is too large");
    }
    if (in_.complaint()) return *in_.complaint();
    return std::move(out_);
  }

 private:
  using Op = Iregexp::Op;
  using CharSet = Iregexp::CharSet;

  struct Node {
    enum class Kind { kChar, kSet, kStart, kEnd, kSequence, kChoice, kRepeat };
    Kind kind = Kind::kSequence;  // without parts: nothing
    uint32_t value = 0;           // code point or index of a set
    uint32_t min = 0;
    uint32_t max = 0;
    std::vector<Node> parts;
  };

  bool regexp(Node& out, size_t depth) {
    if (depth > kMaxPatternDepth) return in_.fail("groups are nested too deeply");
    Node choice;
    choice.kind = Node::Kind::kChoice;
    do {
      Node branch;
      while (!in_.at_end() && in_.peek() != '|' && in_.peek() != ')') {
        Node piece;
        if (!atom(piece, depth) || !quantifier(piece)) return false;
        branch.parts.push_back(std::move(piece));
      }
      choice.parts.push_back(std::move(branch));
    } while (in_.accept("|"));
    out = choice.parts.size() == 1 ? std::move(choice.parts[0]) : std::move(choice);
    return true;
  }

  bool atom(Node& out, size_t depth) {
    if (in_.accept("(")) {
      return regexp(out, depth + 1) && (in_.accept(")") || in_.fail("unbalanced parenthesis"));
    }
    if (in_.accept("^")) return assertion(out, Node::Kind::kStart);
    if (in_.accept("$")) return assertion(out, Node::Kind::kEnd);
    if (in_.accept(".")) return dot(out);
    if (in_.accept("[")) return set(out);
    const char c = in_.peek();
    if (c == '\\') return escaped(out);
    if (std::string_view("*+?{").find(c) != std::string_view::npos) {
      return in_.fail("nothing to repeat");
    }
    if (c == ']' || c == '}') return in_.fail("unbalanced bracket");
    out.kind = Node::Kind::kChar;
    out.value = take_code_point();
    return true;
  }

  static bool assertion(Node& out, Node::Kind kind) {
    out.kind = kind;
    return true;
  }

  bool dot(Node& out) { return add_set(out, CharSet{{{'\n', '\n'}, {'\r', '\r'}}, 0, true}); }

  bool escaped(Node& out) {
    CharSet category;
    if (is_category()) return read_category(category) && add_set(out, std::move(category));
    const std::optional<char32_t> c = escape();
    if (!c) return false;
    out.kind = Node::Kind::kChar;
    out.value = *c;
    return true;
  }

  std::optional<char32_t> escape() {
    in_.advance();
    const char c = in_.peek();
    static constexpr std::string_view kFrom = "nrt";
    static constexpr std::string_view kTo = "\n\r\t";
    if (const size_t at = kFrom.find(c); at != std::string_view::npos) {
      in_.advance();
      return kTo[at];
    }
    if (!is_punctuation(c)) {
      in_.fail("unknown escape");
      return std::nullopt;
    }
    in_.advance();
    return static_cast<char32_t>(c);
  }

  bool is_category() const {
    const std::string_view start = in_.rest().substr(0, 2);
    return start == "\\p" || start == "\\P";
  }

  bool read_category(CharSet& out) {
    const bool complement = in_.rest()[1] == 'P';
    in_.advance();
    in_.advance();
    if (!in_.expect("{")) return false;
    const size_t from = in_.position();
    while (!in_.at_end() && in_.peek() != '}') in_.advance();
    const std::optional<CategorySet> categories = category_set(in_.since(from));
    if (!categories) return in_.fail("unknown category");
    out.categories |= complement ? kAllCategories & ~*categories : *categories;
    return in_.expect("}");
  }

  bool set(Node& out) {
    CharSet set;
    set.negated = in_.accept("^");
    if (in_.accept("-")) set.ranges.emplace_back('-', '-');
    while (!in_.at_end() && in_.peek() != ']') {
      if (in_.rest().substr(0, 2) == "-]") {
        in_.advance();
        set.ranges.emplace_back('-', '-');
        break;
      }
      if (!(is_category() ? read_category(set) : item(set))) return false;
    }
    if (set.ranges.empty() && set.categories == 0) return in_.fail("empty set");
    return in_.expect("]") && add_set(out, std::move(set));
  }

  bool item(CharSet& set) {
    const std::optional<char32_t> first = member();
    if (!first) return false;
    std::optional<char32_t> last = first;
    const std::string_view rest = in_.rest();
    if (rest.size() > 1 && rest[0] == '-' && rest[1] != ']') {
      in_.advance();
      last = member();
      if (!last) return false;
    }
    if (*last < *first) return in_.fail("range out of order");
    set.ranges.emplace_back(*first, *last);
    return true;
  }

  std::optional<char32_t> member() {
    const char c = in_.peek();
    if (c == '\\' && !is_category()) return escape();
    if (in_.at_end() || std::string_view("-[\\]").find(c) != std::string_view::npos) {
      in_.fail("expected a character");
      return std::nullopt;
    }
    return take_code_point();
  }

  char32_t take_code_point() {
    std::string_view rest = in_.rest();
    const size_t before = rest.size();
    const char32_t c = next_code_point(rest);
    for (size_t n = before - rest.size(); n > 0; n--) in_.advance();
    return c;
  }

  // Wraps `piece` when a quantifier follows it.
  bool quantifier(Node& piece) {
    Node repeat;
    repeat.kind = Node::Kind::kRepeat;
    repeat.max = kUnbounded;
    if (in_.accept("+")) {
      repeat.min = 1;
    } else if (in_.accept("?")) {
      repeat.max = 1;
    } else if (in_.accept("{")) {
      if (!range(repeat)) return false;
    } else if (!in_.accept("*")) {
      return true;
    }
    repeat.parts.push_back(std::move(piece));
    piece = std::move(repeat);
    return true;
  }

  bool range(Node& repeat) {
    if (!count(repeat.min)) return false;
    repeat.max = repeat.min;
    if (in_.accept(",")) {
      repeat.max = kUnbounded;
      if (in_.peek() != '}' && !count(repeat.max)) return false;
    }
    if (repeat.max < repeat.min) return in_.fail("range out of order");
    return in_.expect("}");
  }

  bool count(uint32_t& out) {
    const size_t from = in_.position();
    in_.skip_any_of("0123456789");
    const std::optional<long long> value = parse_unsigned(in_.since(from));
    if (!value || *value > kMaxRepeat) return in_.fail("expected a number up to 1000");
    out = static_cast<uint32_t>(*value);
    return true;
  }

  bool add_set(Node& out, CharSet set) {
    std::sort(set.ranges.begin(), set.ranges.end());
    std::vector<std::pair<char32_t, char32_t>> merged;
    for (const auto& range : set.ranges) {
      if (!merged.empty() && range.first <= merged.back().second + 1) {
        merged.back().second = std::max(merged.back().second, range.second);
      } else {
        merged.push_back(range);
      }
    }
    set.ranges = std::move(merged);
    out.kind = Node::Kind::kSet;
    out.value = static_cast<uint32_t>(out_.sets_.size());
    out_.sets_.push_back(std::move(set));
    return true;
  }

  bool add(Iregexp::Instruction instruction) {
    if (out_.program_.size() >= kMaxInstructions) return false;
    out_.program_.push_back(instruction);
    return true;
  }

  uint32_t here() const { return static_cast<uint32_t>(out_.program_.size()); }

  // False when a bound is reached.
  bool emit(const Node& node) {
    if (++emitted_nodes_ > kMaxInstructions) return false;
    switch (node.kind) {
      case Node::Kind::kChar:
        return add({Op::kChar, node.value, 0});
      case Node::Kind::kSet:
        return add({Op::kSet, node.value, 0});
      case Node::Kind::kStart:
        return add({Op::kStart, 0, 0});
      case Node::Kind::kEnd:
        return add({Op::kEnd, 0, 0});
      case Node::Kind::kSequence:
        return std::all_of(node.parts.begin(), node.parts.end(),
                           [this](const Node& part) { return emit(part); });
      case Node::Kind::kChoice:
        return emit_choice(node);
      case Node::Kind::kRepeat:
        return emit_repeat(node);
    }
    return false;
  }

  //   split 1, 2; 1: first; jump end; 2: split ...; end:
  bool emit_choice(const Node& node) {
    std::vector<uint32_t> jumps;
    for (size_t i = 0; i + 1 < node.parts.size(); i++) {
      const uint32_t split = here();
      if (!add({Op::kSplit, split + 1, 0}) || !emit(node.parts[i])) return false;
      jumps.push_back(here());
      if (!add({Op::kJump, 0, 0})) return false;
      out_.program_[split].b = here();
    }
    if (!emit(node.parts.back())) return false;
    for (const uint32_t jump : jumps) out_.program_[jump].a = here();
    return true;
  }

  // What must be there, then either a loop or what may be there, each copy skipping to the end.
  bool emit_repeat(const Node& node) {
    const Node& body = node.parts[0];
    for (uint32_t i = 0; i < node.min; i++) {
      if (!emit(body)) return false;
    }
    if (node.max == kUnbounded) return emit_loop(body);
    std::vector<uint32_t> splits;
    for (uint32_t i = node.min; i < node.max; i++) {
      splits.push_back(here());
      if (!add({Op::kSplit, here() + 1, 0}) || !emit(body)) return false;
    }
    for (const uint32_t split : splits) out_.program_[split].b = here();
    return true;
  }

  //   1: split 2, 3; 2: body; jump 1; 3:
  bool emit_loop(const Node& body) {
    const uint32_t split = here();
    if (!add({Op::kSplit, split + 1, 0}) || !emit(body) || !add({Op::kJump, split, 0})) {
      return false;
    }
    out_.program_[split].b = here();
    return true;
  }

  TextCursor in_;
  Iregexp out_;
  size_t emitted_nodes_ = 0;
};

// One run of a program: the threads that wait for the next character, each instruction once.
class IregexpRun {
 public:
  IregexpRun(const Iregexp& regexp, MatchMode mode, size_t& steps)
      : regexp_(regexp), mode_(mode), steps_(steps), seen_at_(regexp.program_.size(), 0) {}

  bool run(std::string_view text) {
    add_thread(0, true, text.empty());
    bool first = true;
    while (!accepted_ && steps_ > 0 && !text.empty()) {
      if (!first && mode_ == MatchMode::kSomewhere) add_thread(0, false, false);
      if (accepted_ || (threads_.empty() && mode_ == MatchMode::kWhole)) break;
      first = false;
      const char32_t c = next_code_point(text);
      step(c, text.empty());
    }
    if (!accepted_ && !first && text.empty() && mode_ == MatchMode::kSomewhere) {
      add_thread(0, false, true);
    }
    return accepted_ && steps_ > 0;
  }

 private:
  using Op = Iregexp::Op;

  // Advances every thread over `c`.
  void step(char32_t c, bool at_end) {
    waiting_.swap(threads_);
    threads_.clear();
    generation_++;
    for (const uint32_t at : waiting_) {
      if (accepted_ || !spend()) return;
      const Iregexp::Instruction& i = regexp_.program_[at];
      const bool goes_on = i.op == Op::kChar ? i.a == c : regexp_.sets_[i.a].has(c);
      if (goes_on) add_thread(at + 1, false, at_end);
    }
  }

  // Follows everything that takes no character from `at`, once for each place in the text.
  void add_thread(uint32_t at, bool at_start, bool at_end) {
    pending_.assign(1, at);
    while (!pending_.empty() && spend()) {
      const uint32_t now = pending_.back();
      pending_.pop_back();
      if (seen_at_[now] == generation_) continue;
      seen_at_[now] = generation_;
      const Iregexp::Instruction& i = regexp_.program_[now];
      switch (i.op) {
        case Op::kChar:
        case Op::kSet:
          threads_.push_back(now);
          break;
        case Op::kSplit:
          pending_.push_back(i.b);
          pending_.push_back(i.a);
          break;
        case Op::kJump:
          pending_.push_back(i.a);
          break;
        case Op::kStart:
          if (at_start) pending_.push_back(now + 1);
          break;
        case Op::kEnd:
          if (at_end) pending_.push_back(now + 1);
          break;
        case Op::kAccept:
          accepted_ = accepted_ || mode_ == MatchMode::kSomewhere || at_end;
          break;
      }
    }
  }

  bool spend() {
    if (steps_ > 0) steps_--;
    return steps_ > 0;
  }

  const Iregexp& regexp_;
  const MatchMode mode_;
  size_t& steps_;
  std::vector<uint64_t> seen_at_;  // the generation in which the instruction was reached
  std::vector<uint32_t> threads_;
  std::vector<uint32_t> waiting_;  // of step()
  std::vector<uint32_t> pending_;  // of add_thread()
  uint64_t generation_ = 1;        // the place in the text, from 1
  bool accepted_ = false;
};

bool Iregexp::CharSet::has(char32_t c) const {
  const auto next = std::upper_bound(ranges.begin(), ranges.end(), c,
                                     [](char32_t x, const auto& range) { return x < range.first; });
  const bool in_ranges = next != ranges.begin() && c <= std::prev(next)->second;
  const bool in = in_ranges || (categories != 0 && (category_of(c) & categories) != 0);
  return in != negated;
}

std::variant<Iregexp, std::string> Iregexp::compile(std::string_view pattern) {
  return IregexpCompiler(pattern).compile();
}

bool Iregexp::matches(std::string_view text, MatchMode mode, size_t& steps) const {
  return IregexpRun(*this, mode, steps).run(text);
}

}  // namespace pgrst
