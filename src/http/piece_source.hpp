// The pieces of a body (core/http_message.hpp) as what a response is streamed from.
#pragma once

#include "core/before_postgres.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "http/server.hpp"

namespace pgrst::http {

// Holds one piece at a time, which is written when its first byte is wanted.
class PieceSource : public BodySource {
 public:
  explicit PieceSource(std::shared_ptr<BodyPieces> pieces) : pieces_(std::move(pieces)) {}

  std::optional<size_t> read(char* buffer, size_t size) override {
    size_t got = 0;
    while (got < size) {
      if (sent_ == piece_.size() && !write_next()) break;
      const size_t part = piece_.copy(buffer + got, size - got, sent_);
      sent_ += part;
      got += part;
    }
    return got == 0 ? std::nullopt : std::optional(got);
  }

 private:
  bool write_next() {
    piece_.clear();
    sent_ = 0;
    return pieces_->next(piece_);
  }

  std::shared_ptr<BodyPieces> pieces_;
  std::string piece_;
  size_t sent_ = 0;  // of piece_
};

}  // namespace pgrst::http
