// What a receiver says of every single packet (transport-wide congestion control), put together to trains: the packets
// that left in one go, which is mostly one picture.
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "json.h"

namespace obscura {

/** Sizes are of packets on the wire: more than the payload, of which GStreamer tells. */
class PacketTrains {
 public:
  explicit PacketTrains(std::size_t headerBytes) : headerBytes_(headerBytes) {}

  /** The contents of `RTPTWCCPackets`, which an RTP session sends upstream with each feedback. */
  void take(const GstStructure* feedback);

  /** The finished ones since the last time, and the round trip; nothing where no feedback has come since. */
  std::optional<Json> collect();

  /** {arrived, lost, rttMs} since the beginning; nothing before the first feedback. */
  std::optional<Json> totals();

 private:
  struct Train {
    GstClockTime sentAt;
    GstClockTime sentUntil;
    GstClockTime arrivedAt = 0;
    GstClockTime arrivedUntil = 0;
    std::uint64_t packets = 0;
    std::uint64_t lost = 0;
    std::uint64_t bytes = 0;
    std::uint64_t firstBytes = 0;
  };

  /** All with the lock held. */
  void add(const GstStructure* packet);
  void finish();

  const std::size_t headerBytes_;
  std::mutex lock_;
  std::optional<Train> open_;
  std::vector<Train> finished_;
  /** Of trains of which nothing arrived. */
  std::uint64_t lostWhole_ = 0;
  GstClockTime firstSentAt_ = GST_CLOCK_TIME_NONE;
  GstClockTime lastFedAt_ = GST_CLOCK_TIME_NONE;
  GstClockTime roundTrip_ = GST_CLOCK_TIME_NONE;
  std::uint64_t arrived_ = 0;
  std::uint64_t lost_ = 0;
  bool isFresh_ = false;
};

}  // namespace obscura
