// What a receiver says in RTCP of how a stream reaches it, as it comes in and without asking the session.
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <mutex>
#include <optional>

#include "json.h"

namespace obscura {

/** Of a receiver report, on one of our streams. */
struct ReportBlock {
  /** Of the packets since its last report, 0 to 1. */
  double loss = 0.0;
  double jitterMs = 0.0;
  /** Nothing where it has seen no report of ours. */
  std::optional<double> rttMs;
  /** How old that report was when it told of it. */
  std::optional<double> rttAgeMs;

  Json text() const;
};

struct ReceiverWords {
  std::optional<ReportBlock> report;
  /** What it believes that the way carries (REMB), in bit/s. */
  std::optional<std::uint64_t> estimate;
};

/** Keeps the last words until somebody takes them. */
class WordsOfReceiver {
 public:
  /** A compound packet of RTCP, as it came in; reports on other streams than this one are left out. */
  void hear(GstBuffer* packets, std::uint32_t stream);
  ReceiverWords take();

 private:
  std::mutex lock_;
  ReceiverWords words_;
};

}  // namespace obscura
