// What an RTP session knows of how its packets fare.
#pragma once

#include <glib-object.h>
#include <gst/gst.h>

#include <cstdint>
#include <optional>
#include <string>

#include "json.h"

namespace obscura {

/** What the receiver that reports from this address (or any, where it is empty) has said last. */
std::optional<Json> receiverReport(GObject* session, const std::string& from);

/** What a sender says of its clocks: the time on the wall, as NTP has it, at which its RTP clock stood so. */
struct SenderReport {
  std::uint64_t ntpTime = 0;
  std::uint32_t rtpTime = 0;
};

/** The last one of this sender. */
std::optional<SenderReport> senderReport(GObject* session, std::uint32_t ssrc);

/**
 * Lets the reports to receivers say when pictures were taken and not when they were sent: with them, whoever receives
 * several streams can put them together. The element is any in the pipeline that sends.
 */
void tellTimesOfCapture(GstElement* element);

/** How often receivers have asked for packets again, and for keyframes. */
struct Requests {
  std::uint64_t nacks = 0;
  std::uint64_t plis = 0;
  std::uint64_t firs = 0;
};
Requests requestsReceived(GObject* session);

/** Of payload, since the session began. */
std::uint64_t bytesSent(GObject* session);

}  // namespace obscura
