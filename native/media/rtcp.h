// Reads RTCP (RFC 3550, RFC 4585) as anybody on the network may have written it. Knows nothing of GStreamer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace obscura {

/** What a receiver says of one sender's packets. */
struct ReceptionReport {
  /** The sender's. */
  std::uint32_t ssrc = 0;
  /** Of the packets since the last report, 0 to 1. */
  double loss = 0;
  /** Since the beginning; negative where more came than were sent. */
  std::int32_t lost = 0;
  /** In units of the sender's clock. */
  std::uint32_t jitter = 0;
  /** The middle of the time in the sender's last report that has come; 0 where none has. */
  std::uint32_t lastReport = 0;
  /** From when that came until this was sent, in units of 1/65536 s. */
  std::uint32_t delay = 0;
};

/** What the sender of a stream says of its own clock. */
struct OwnReport {
  std::uint32_t ssrc = 0;
  /** As a receiver will repeat it in lastReport. */
  std::uint32_t middle = 0;
};

struct RtcpNews {
  /** Without those that cannot be. */
  std::vector<ReceptionReport> reports;
  std::vector<OwnReport> ownReports;
  /** What the receiver thinks of the way (REMB), in bit/s; at most a million millions. */
  std::optional<double> estimateBps;
  unsigned nacks = 0;
  unsigned plis = 0;
  unsigned firs = 0;
};

/** Nothing where any of it is not RTCP: half of a lie is not worth more than all of it. */
std::optional<RtcpNews> readRtcp(const std::uint8_t* data, std::size_t size);

}  // namespace obscura
