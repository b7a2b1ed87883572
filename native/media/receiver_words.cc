#include "receiver_words.h"

#include <gst/rtp/gstrtcpbuffer.h>

#include <cstring>

namespace obscura {
namespace {

constexpr std::uint64_t secondsTo1970 = 2'208'988'800;
/** Of video, whose clock all streams here have. */
constexpr double ticksPerMs = 90.0;
constexpr double shortUnitsPerMs = 65.536;
/** Feedback for applications, which REMB is. */
constexpr auto applicationFeedback = static_cast<GstRTCPFBType>(15);
constexpr char estimateName[] = {'R', 'E', 'M', 'B'};
/** The name, the number of streams, and six bits of exponent before eighteen of mantissa. */
constexpr guint estimateWords = 2;

/** The middle of an NTP time, in which reports tell times. */
std::uint32_t shortTime() {
  const auto now = static_cast<std::uint64_t>(g_get_real_time());
  const std::uint64_t seconds = now / G_USEC_PER_SEC + secondsTo1970;
  const std::uint64_t fraction = ((now % G_USEC_PER_SEC) << 16) / G_USEC_PER_SEC;
  return static_cast<std::uint32_t>(seconds << 16 | fraction);
}

/** On this stream, where there is one. */
std::optional<ReportBlock> blockIn(GstRTCPPacket* packet, std::uint32_t stream) {
  guint32 source = 0;
  guint8 fraction = 0;
  gint32 lost = 0;
  guint32 highest = 0;
  guint32 jitter = 0;
  guint32 lastReport = 0;
  guint32 sinceThen = 0;
  const guint count = gst_rtcp_packet_get_rb_count(packet);
  guint index = 0;
  for (; index < count; index += 1) {
    gst_rtcp_packet_get_rb(packet, index, &source, &fraction, &lost, &highest, &jitter, &lastReport, &sinceThen);
    if (source == stream) break;
  }
  if (index == count) return std::nullopt;
  ReportBlock block;
  block.loss = fraction / 256.0;
  block.jitterMs = jitter / ticksPerMs;
  if (lastReport != 0) {
    const std::uint32_t age = shortTime() - lastReport;
    const auto roundTrip = static_cast<std::int32_t>(age - sinceThen);
    // Clocks of the wall may be set back.
    if (roundTrip >= 0) {
      block.rttMs = roundTrip / shortUnitsPerMs;
      block.rttAgeMs = age / shortUnitsPerMs;
    }
  }
  return block;
}

std::optional<std::uint64_t> estimateIn(GstRTCPPacket* packet) {
  if (gst_rtcp_packet_fb_get_type(packet) != applicationFeedback) return std::nullopt;
  const guint8* said = gst_rtcp_packet_fb_get_fci(packet);
  if (gst_rtcp_packet_fb_get_fci_length(packet) < estimateWords) return std::nullopt;
  if (std::memcmp(said, estimateName, sizeof(estimateName)) != 0) return std::nullopt;
  const std::uint64_t mantissa = GST_READ_UINT24_BE(said + 5) & 0x3ffff;
  return mantissa << (said[5] >> 2);
}

}  // namespace

Json ReportBlock::text() const {
  Json json;
  json.set("loss", loss).set("jitterMs", jitterMs);
  if (rttMs.has_value())
    json.set("rttMs", *rttMs).set("rttAgeMs", *rttAgeMs);
  else
    json.setRaw("rttMs", "null").setRaw("rttAgeMs", "null");
  return json;
}

void WordsOfReceiver::hear(GstBuffer* packets, std::uint32_t stream) {
  GstRTCPBuffer rtcp = GST_RTCP_BUFFER_INIT;
  if (!gst_rtcp_buffer_map(packets, GST_MAP_READ, &rtcp)) return;
  const std::lock_guard<std::mutex> hold(lock_);
  GstRTCPPacket packet;
  for (gboolean more = gst_rtcp_buffer_get_first_packet(&rtcp, &packet); more;
       more = gst_rtcp_packet_move_to_next(&packet)) {
    const GstRTCPType type = gst_rtcp_packet_get_type(&packet);
    const auto report = type == GST_RTCP_TYPE_RR ? blockIn(&packet, stream) : std::nullopt;
    if (report.has_value()) words_.report = report;
    const auto estimate = type == GST_RTCP_TYPE_PSFB ? estimateIn(&packet) : std::nullopt;
    if (estimate.has_value()) words_.estimate = estimate;
  }
  gst_rtcp_buffer_unmap(&rtcp);
}

ReceiverWords WordsOfReceiver::take() {
  const std::lock_guard<std::mutex> hold(lock_);
  ReceiverWords taken = words_;
  words_ = ReceiverWords();
  return taken;
}

}  // namespace obscura
