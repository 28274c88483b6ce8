#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <ctime>

#include "pg/broker.hpp"

namespace pgrst::pg {

namespace {

constexpr char kQueryCanceled[] = "57014";

// An executor more is asked for when work has waited that long, and there is none, or all are busy.
constexpr int64_t kGrowAfterMs = 10;

constexpr int64_t kInterruptAgainMs = 1000;

std::atomic<uint64_t> last_sequence{0};

}  // namespace

struct Broker::SlotUse {
  enum class Stage { kFree, kHead, kBodies, kDelivered };

  uint32_t number = 0;
  Slot* slot = nullptr;
  Stage stage = Stage::kFree;
  Work work;
  size_t written = 0;  // of work.message, or of work.payload once that is gone
  int64_t placed_ms = 0;
  bool cancelled = false;
  int64_t interrupted_ms = 0;  // when last, at its deadline or after it; 0: never
  bool given_up = false;       // cancelled by cancel_running()
  bool streaming = false;      // a SlotBody reads the ring
  bool touched = false;        // its number is in touched_

  std::string head_bytes;
  ResponseHead head;
  uint64_t first_body_left = 0;  // bytes of result set 0 that nobody has read
};

class Broker::SlotBody : public ResultBody {
 public:
  SlotBody(Broker& broker, SlotUse& use) : broker_(broker), use_(use) { use_.streaming = true; }
  ~SlotBody() override {
    use_.streaming = false;
    touch();
  }

  std::optional<size_t> read(char* buffer, size_t size) override {
    const Outcome outcome = use_.slot->outcome.load();
    if (size > use_.first_body_left) size = use_.first_body_left;
    const size_t got = use_.slot->response()->read_some(buffer, size);
    use_.first_body_left -= got;
    touch();
    if (got == 0 && !is_pending(outcome)) return std::nullopt;
    return got;
  }

  bool holds_executor() const override { return is_pending(use_.slot->outcome.load()); }

 private:
  // Runs below libmicrohttpd: only remembers. settle() does the rest.
  void touch() {
    if (use_.touched) return;
    use_.touched = true;
    broker_.touched_.push_back(use_.number);  // has room for all slots
  }

  Broker& broker_;
  SlotUse& use_;
};

Broker::Broker(DatabaseShared& db, Receiver& receiver) : db_(db), receiver_(receiver) {
  // A gateway that ended may have left slots behind that executors still write to: those stay
  // unused.
  touched_.reserve(db.slot_count);
  for (uint32_t i = 0; i < db.slot_count; i++) {
    auto use = std::make_unique<SlotUse>();
    use->number = i;
    use->slot = &db.slot(i);
    slots_.push_back(std::move(use));
    Outcome outcome = Outcome::kQueued;
    db.slot(i).outcome.compare_exchange_strong(outcome, Outcome::kAbandoned);
    outcome = db.slot(i).outcome.load();
    const bool orphaned = db.slot(i).sequence.load() != 0 && is_pending(outcome);
    if (orphaned) {
      slots_[i]->stage = SlotUse::Stage::kDelivered;
      in_use_++;
      cancel_in_executor(*slots_[i]);
    } else {
      free_.push_back(i);
    }
    if (db.slot(i).sequence.load() > last_sequence.load())
      last_sequence = db.slot(i).sequence.load();
  }
}

Broker::~Broker() = default;

// -- work goes out -------------------------------------------------------------------------------

bool Broker::submit(Work& work, size_t max_queue, int64_t now_ms) {
  work.since_ms = now_ms;
  if (!free_.empty() && backlog_.empty()) {
    place(work, now_ms);
    return true;
  }
  if (free_.empty() && backlog_.size() >= max_queue) return false;
  // Introspection goes first: requests may be waiting for its verdict.
  if (work.is_introspection) {
    backlog_.push_front(std::move(work));
  } else {
    backlog_.push_back(std::move(work));
  }
  return true;
}

void Broker::place(Work& work, int64_t now_ms) {
  SlotUse& use = *slots_[free_.back()];
  free_.pop_back();
  in_use_++;
  use.stage = SlotUse::Stage::kHead;
  use.work = std::move(work);
  use.written = 0;
  use.placed_ms = now_ms;
  use.cancelled = false;
  use.interrupted_ms = 0;
  use.given_up = false;
  use.head_bytes.clear();
  use.head = ResponseHead();
  use.first_body_left = 0;

  Slot& slot = *use.slot;
  slot.sequence = ++last_sequence;
  slot.executor = -1;
  slot.discarded = false;
  slot.gateway_wants_room = false;
  slot.executor_wants_room = false;
  slot.executor_wants_data = false;
  slot.request()->reset();
  slot.response()->reset();
  slot.outcome = Outcome::kQueued;
  write_request(use);
  db_.submissions().push(use.number);  // as many cells as slots
}

namespace {

// The memory of large texts goes as they are sent, or they would be there twice for a while.
void give_back(std::string& text, size_t from, size_t to) noexcept {
  constexpr size_t kLarge = 1024 * 1024;
  if (text.size() < kLarge) return;
  static const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  // The first page may hold what the allocator needs, too.
  const auto start = reinterpret_cast<uintptr_t>(text.data());
  const uintptr_t begin = std::max(start + page, start + from) / page * page;
  const uintptr_t end = (start + to) / page * page;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

}  // namespace

void Broker::write_request(SlotUse& use) {
  ByteRing& ring = *use.slot->request();
  for (;;) {
    std::string& part = use.work.message.empty() ? use.work.payload : use.work.message;
    const size_t put = ring.write_some(part.data() + use.written, part.size() - use.written);
    give_back(part, use.written, use.written + put);
    use.written += put;
    if (use.written == part.size()) {
      part = std::string();
      use.written = 0;
      if (use.work.payload.empty()) break;
      continue;
    }
    use.slot->gateway_wants_room = true;
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (ring.writable() == 0) break;
  }
  wake_reader(use);
}

void Broker::dispatch(int64_t now_ms) {
  while (!backlog_.empty() && !free_.empty()) {
    place(backlog_.front(), now_ms);
    backlog_.pop_front();
  }
  db_.queue_length.store(backlog_.size(), std::memory_order_relaxed);
  if (db_.submissions().looks_empty()) return;
  if (!wake_executor(db_) && wants_executor(now_ms)) {
    db_.executor_wanted = true;
    wake_launcher();
  }
}

bool Broker::wants_executor(int64_t now_ms) const {
  bool room = false;
  for (uint32_t i = 0; i < db_.executor_count; i++) {
    const ProcessState state = db_.executor(i).state.load(std::memory_order_relaxed);
    if (state == ProcessState::kStarting) return false;
    if (state == ProcessState::kNone) room = true;
  }
  if (!room) return false;
  for (const auto& use : slots_) {
    if (use->stage == SlotUse::Stage::kHead && use->slot->outcome.load() == Outcome::kQueued &&
        now_ms - use->placed_ms >= kGrowAfterMs) {
      return true;
    }
  }
  return false;
}

void Broker::expire(int64_t now_ms) {
  for (auto it = backlog_.begin(); it != backlog_.end();) {
    if (it->deadline_ms > now_ms) {
      // In order of arrival, but for an introspection at the front.
      if (!it->is_introspection) break;
      ++it;
      continue;
    }
    Work work = std::move(*it);
    it = backlog_.erase(it);
    receiver_.on_failure(work, Failure::kTimeout);
  }
  for (const auto& use : slots_) {
    if (use->stage == SlotUse::Stage::kHead) interrupt_what_takes_too_long(*use, now_ms);
    if (use->stage != SlotUse::Stage::kHead || use->work.deadline_ms > now_ms) continue;
    Outcome queued = Outcome::kQueued;
    if (use->slot->outcome.compare_exchange_strong(queued, Outcome::kAbandoned)) {
      fail(*use, Failure::kTimeout);
    }
  }
}

int64_t Broker::next_deadline_ms(int64_t now_ms) const {
  int64_t next = -1;
  const auto at = [&](int64_t ms) { next = next < 0 || ms < next ? ms : next; };
  for (const Work& work : backlog_) {
    at(work.deadline_ms);
    if (!work.is_introspection) break;
  }
  for (const auto& use : slots_) {
    if (use->stage != SlotUse::Stage::kHead) continue;
    if (use->work.result_deadline_ms > 0 && use->interrupted_ms == 0) {
      at(use->work.result_deadline_ms);
    }
    if (use->slot->outcome.load(std::memory_order_relaxed) != Outcome::kQueued) continue;
    at(use->work.deadline_ms);
    if (use->placed_ms + kGrowAfterMs > now_ms) at(use->placed_ms + kGrowAfterMs);
  }
  return next;
}

// -- results come in -----------------------------------------------------------------------------

void Broker::process_events() {
  while (const auto number = db_.events().pop()) {
    if (*number >= slots_.size()) continue;
    SlotUse& use = *slots_[*number];
    use.slot->event_posted = false;
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (use.stage != SlotUse::Stage::kFree) on_event(use);
  }
}

void Broker::on_event(SlotUse& use) {
  // Before the ring is read: what an executor wrote before its last word is then in the ring.
  const Outcome outcome = use.slot->outcome.load();
  try {
    read_on(use, outcome);
  } catch (const std::exception&) {
    use.head_bytes = std::string();
    use.head = ResponseHead();
    fail(use, Failure::kNoMemory);
  }
  wake_writer(use);
  free_if_done(use);
}

void Broker::read_on(SlotUse& use, Outcome outcome) {
  if (!use.work.message.empty() || !use.work.payload.empty()) write_request(use);
  if (use.stage == SlotUse::Stage::kHead && read_head(use)) use.stage = SlotUse::Stage::kBodies;
  if (use.stage == SlotUse::Stage::kBodies && read_bodies(use)) {
    deliver(use);
  } else if (use.streaming) {
    receiver_.on_more(use.work.ticket);
  } else if (use.stage != SlotUse::Stage::kDelivered && !is_pending(outcome)) {
    fail(use,
         outcome == Outcome::kLostAfterCommit ? Failure::kLostAfterCommit : Failure::kExecutorLost);
  }
}

namespace {

// Reads from the ring until `out` has `size` bytes; false when there are not as many yet.
bool fill(ByteRing& ring, std::string& out, uint64_t size) {
  if (out.size() < size) {
    const size_t had = out.size();
    const size_t want = std::min<uint64_t>(size - had, ring.readable());
    out.resize(had + want);
    ring.read_some(out.data() + had, want);
  }
  return out.size() >= size;
}

}  // namespace

bool Broker::read_head(SlotUse& use) {
  ByteRing& ring = *use.slot->response();
  if (!fill(ring, use.head_bytes, kSizePrefix)) return false;
  const auto size = WireReader(use.head_bytes).number<uint64_t>();
  if (!fill(ring, use.head_bytes, kSizePrefix + size)) return false;
  auto head = decode_response_head(std::string_view(use.head_bytes).substr(kSizePrefix));
  if (head) {
    use.head = std::move(*head);
  } else {
    use.head.result.error.emplace();
    use.head.result.error->sqlstate = "XX000";
    use.head.result.error->message = "damaged response message";
  }
  use.head_bytes = std::string();
  if (!use.head.result.result_sets.empty()) {
    use.first_body_left = use.head.result.result_sets[0].body_size;
  }
  return true;
}

// True when all is there that delivery needs: every body but the first, and that too where the
// gateway reads it.
bool Broker::read_bodies(SlotUse& use) {
  ByteRing& ring = *use.slot->response();
  auto& sets = use.head.result.result_sets;
  for (const size_t i : body_order(sets.size())) {
    const bool may_stream = i == 0 && !use.work.is_introspection && !use.work.pending.writes_body();
    if (may_stream && ring.readable() < sets[i].body_size) return true;
    if (!fill(ring, sets[i].body, sets[i].body_size)) return false;
    if (i == 0) use.first_body_left = 0;
  }
  return true;
}

std::optional<Failure> Broker::failure_of(const SlotUse& use) {
  const TransactionResult& result = use.head.result;
  if (result.completion == Completion::kUnconfirmed) return Failure::kUnconfirmed;
  if (result.completion == Completion::kResultLost) return Failure::kLostAfterCommit;
  if (result.error && result.error->sqlstate == kQueryCanceled) {
    if (use.given_up) return Failure::kExecutorLost;
    if (use.interrupted_ms != 0) return Failure::kTooLong;
  }
  return std::nullopt;
}

void Broker::deliver(SlotUse& use) {
  if (const auto failure = failure_of(use)) {
    fail(use, *failure);
    use.head = ResponseHead();
    return;
  }
  use.stage = SlotUse::Stage::kDelivered;
  std::unique_ptr<ResultBody> body;
  if (use.first_body_left > 0) body = std::make_unique<SlotBody>(*this, use);
  receiver_.on_result(use.work, use.head, std::move(body));
  use.head = ResponseHead();
  use.work.pending = PendingRequest();
}

void Broker::fail(SlotUse& use, Failure failure) {
  use.stage = SlotUse::Stage::kDelivered;
  receiver_.on_failure(use.work, failure);
  use.work.message = std::string();
  use.work.payload = std::string();
  use.work.pending = PendingRequest();
}

void Broker::settle() {
  for (const uint32_t number : touched_) {
    SlotUse& use = *slots_[number];
    use.touched = false;
    if (use.stage == SlotUse::Stage::kFree) continue;
    wake_writer(use);
    free_if_done(use);
  }
  touched_.clear();
}

void Broker::free_if_done(SlotUse& use) {
  if (use.stage != SlotUse::Stage::kDelivered || use.streaming) return;
  if (is_pending(use.slot->outcome.load())) {
    discard(use);  // whatever the executor still writes, nobody reads it
    return;
  }
  use.stage = SlotUse::Stage::kFree;
  use.slot->executor = -1;
  free_.push_back(use.number);
  in_use_--;
}

void Broker::discard(SlotUse& use) {
  if (use.slot->discarded.exchange(true)) return;
  const int32_t executor = use.slot->executor.load();
  if (executor < 0) return;
  if (Latch* latch = db_.executor(executor).latch.load()) SetLatch(latch);
}

// The executor waits for more of the request.
void Broker::wake_reader(SlotUse& use) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!use.slot->executor_wants_data.load() || !use.slot->executor_wants_data.exchange(false))
    return;
  const int32_t executor = use.slot->executor.load();
  if (executor < 0) return;
  if (Latch* latch = db_.executor(executor).latch.load()) SetLatch(latch);
}

// The executor waits for room; it is woken when half of the ring is free.
void Broker::wake_writer(SlotUse& use) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!use.slot->executor_wants_room.load()) return;
  if (use.slot->response()->writable() < kResponseRingSize / 2) return;
  if (!use.slot->executor_wants_room.exchange(false)) return;
  const int32_t executor = use.slot->executor.load();
  if (executor < 0) return;
  if (Latch* latch = db_.executor(executor).latch.load()) SetLatch(latch);
}

// -- cancelling ----------------------------------------------------------------------------------

std::vector<http::Ticket> Broker::running_since(int64_t since_ms) const {
  std::vector<http::Ticket> tickets;
  for (const auto& use : slots_) {
    if (use->stage != SlotUse::Stage::kFree && use->work.ticket != 0 && !use->cancelled &&
        use->placed_ms <= since_ms && is_pending(use->slot->outcome.load())) {
      tickets.push_back(use->work.ticket);
    }
  }
  return tickets;
}

void Broker::cancel(http::Ticket ticket) {
  for (const auto& use : slots_) {
    if (use->stage == SlotUse::Stage::kFree || use->work.ticket != ticket) continue;
    use->cancelled = true;
    cancel_in_executor(*use);
    return;
  }
}

bool Broker::has_executors() const {
  for (uint32_t i = 0; i < db_.executor_count; i++) {
    if (db_.executor(i).pid.load() > 0) return true;
  }
  return false;
}

bool Broker::has_waited(int64_t since_ms) const {
  const auto waits = [&](const Work& work) {
    return !work.is_introspection && work.since_ms <= since_ms;
  };
  const auto is_waiting = [&](const auto& use) {
    return use->stage == SlotUse::Stage::kHead && waits(use->work) &&
           use->slot->outcome.load(std::memory_order_relaxed) == Outcome::kQueued;
  };
  return std::any_of(backlog_.begin(), backlog_.end(), waits) ||
         std::any_of(slots_.begin(), slots_.end(), is_waiting);
}

bool Broker::has_unanswered() const {
  const auto waits = [](const Work& work) { return !work.is_introspection; };
  const auto runs = [](const auto& use) {
    return (use->stage == SlotUse::Stage::kHead || use->stage == SlotUse::Stage::kBodies) &&
           !use->work.is_introspection;
  };
  return std::any_of(backlog_.begin(), backlog_.end(), waits) ||
         std::any_of(slots_.begin(), slots_.end(), runs);
}

void Broker::fail_waiting() {
  while (!backlog_.empty()) {
    Work work = std::move(backlog_.front());
    backlog_.pop_front();
    receiver_.on_failure(work, Failure::kExecutorLost);
  }
  for (const auto& use : slots_) {
    Outcome queued = Outcome::kQueued;
    if (use->stage == SlotUse::Stage::kHead &&
        use->slot->outcome.compare_exchange_strong(queued, Outcome::kAbandoned)) {
      fail(*use, Failure::kExecutorLost);
    }
  }
}

void Broker::cancel_running() {
  for (const auto& use : slots_) {
    if (use->stage != SlotUse::Stage::kHead || use->slot->outcome.load() != Outcome::kRunning) {
      continue;
    }
    use->given_up = true;
    interrupt(*use);
  }
}

void Broker::abandon_running() {
  for (const auto& use : slots_) {
    if (use->stage != SlotUse::Stage::kHead && use->stage != SlotUse::Stage::kBodies) continue;
    fail(*use, Failure::kAbandoned);
    free_if_done(*use);
  }
}

// Nobody waits for the result any more: the executor drops it, and stops what runs.
void Broker::cancel_in_executor(SlotUse& use) {
  discard(use);
  interrupt(use);
}

// The result still comes, and tells whether it was in time: what has committed is never called
// cancelled. Again after a while: between two statements an executor passes over it.
void Broker::interrupt_what_takes_too_long(SlotUse& use, int64_t now_ms) {
  const int64_t deadline = use.work.result_deadline_ms;
  if (deadline == 0 || deadline > now_ms || now_ms - use.interrupted_ms < kInterruptAgainMs) return;
  if (use.slot->outcome.load() != Outcome::kRunning) return;
  use.interrupted_ms = now_ms;
  interrupt(use);
}

void Broker::interrupt(SlotUse& use) {
  const int32_t index = use.slot->executor.load();
  if (index < 0) return;
  ExecutorShared& executor = db_.executor(index);
  executor.cancel_sequence = use.slot->sequence.load();
  if (const pid_t pid = executor.pid.load(); pid > 0) kill(pid, SIGINT);
}

}  // namespace pgrst::pg
