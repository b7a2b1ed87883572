#include "rtptimes.h"

#include <gst/base/gstbasetransform.h>
#include <gst/rtp/gstrtpbuffer.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>

#include "pipelines.h"
#include "rtp_reports.h"

namespace obscura {
namespace {

constexpr GstClockTime lookEvery = 100 * GST_MSECOND;
/** A camera whose clock is further off than this has not been set. */
constexpr GstClockTimeDiff implausible = 10 * GST_SECOND;
/** Between the years 1900, from which NTP counts, and 1970. */
constexpr std::uint64_t secondsBefore1970 = 2'208'988'800;

/** As whole parts of what is off, the time by the clock of the camera follows the one by which packets arrive. */
constexpr GstClockTimeDiff followBy = 32;
/** The camera has begun to count anew. */
constexpr GstClockTimeDiff leap = 500 * GST_MSECOND;

/**
 * Times by the clock of the camera. The jitter buffer has times that follow the arrival of packets closely, but gives
 * pictures that are not sent in the order in which they are shown the time of others.
 */
class CameraClock {
 public:
  GstClockTime timeOf(guint32 stamp, GstClockTime arrived, guint rate) {
    const auto now = static_cast<GstClockTimeDiff>(arrived);
    const GstClockTimeDiff ticks = isBegun_ ? static_cast<gint32>(stamp - stamp_) : 0;
    const GstClockTimeDiff ideal = time_ + ticks * static_cast<GstClockTimeDiff>(GST_SECOND) / rate;
    if (!isBegun_ || std::llabs(now - ideal) > leap) {
      isBegun_ = true;
      stamp_ = stamp;
      time_ = now;
      return arrived;
    }
    // Those that go back say nothing of how the clocks differ.
    if (ticks > 0) {
      stamp_ = stamp;
      time_ = ideal + (now - ideal) / followBy;
      return static_cast<GstClockTime>(std::max<GstClockTimeDiff>(0, time_));
    }
    return static_cast<GstClockTime>(std::max<GstClockTimeDiff>(0, ideal));
  }

 private:
  bool isBegun_ = false;
  guint32 stamp_ = 0;
  GstClockTimeDiff time_ = 0;
};

struct State {
  std::mutex lock;
  CameraClock clock;
  std::optional<GstClockTimeDiff> offset;
  GstClockTime lookedAt = GST_CLOCK_TIME_NONE;
  guint clockRate = 0;
};

struct RtpTimes {
  GstBaseTransform parent;
  State* state;
};
struct RtpTimesClass {
  GstBaseTransformClass parent;
};

G_DEFINE_TYPE(RtpTimes, rtp_times, GST_TYPE_BASE_TRANSFORM)

RtpTimes* self(gpointer object) { return reinterpret_cast<RtpTimes*>(object); }

std::optional<SenderReport> reportOf(GstElement* element, guint32 ssrc) {
  GstElement* manager = findInPipeline(element, "rtpbin");
  if (manager == nullptr) return std::nullopt;
  std::optional<SenderReport> report;
  // A camera that sends sound as well has a session for it.
  for (guint id = 0; id < 4 && !report.has_value(); id += 1) {
    GObject* session = nullptr;
    g_signal_emit_by_name(manager, "get-internal-session", id, &session);
    if (session == nullptr) continue;
    report = senderReport(session, ssrc);
    g_object_unref(session);
  }
  gst_object_unref(manager);
  return report;
}

/** When by the monotonic clock it was that time by the clock on the wall. */
GstClockTimeDiff monotonic(std::uint64_t ntp) {
  const std::uint64_t nanoseconds = gst_util_uint64_scale(ntp, GST_SECOND, G_GUINT64_CONSTANT(1) << 32);
  const auto sinceEpoch = static_cast<GstClockTimeDiff>(nanoseconds - secondsBefore1970 * GST_SECOND);
  return sinceEpoch - (g_get_real_time() - g_get_monotonic_time()) * static_cast<GstClockTimeDiff>(GST_USECOND);
}

void look(GstBaseTransform* base, GstBuffer* buffer, guint32 stamp, guint32 ssrc) {
  State& state = *self(base)->state;
  const GstClockTime running = gst_segment_to_running_time(&base->segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
  if (!GST_CLOCK_TIME_IS_VALID(running)) return;
  const bool isSoon = GST_CLOCK_TIME_IS_VALID(state.lookedAt) && running < state.lookedAt + lookEvery;
  if (isSoon && running >= state.lookedAt) return;
  state.lookedAt = running;
  const auto report = reportOf(GST_ELEMENT(base), ssrc);
  std::optional<GstClockTimeDiff> offset;
  if (report.has_value()) {
    const auto ticks = static_cast<GstClockTimeDiff>(static_cast<gint32>(stamp - report->rtpTime));
    const GstClockTimeDiff taken =
        monotonic(report->ntpTime) + ticks * static_cast<GstClockTimeDiff>(GST_SECOND) / state.clockRate;
    const auto flows = static_cast<GstClockTimeDiff>(running + gst_element_get_base_time(GST_ELEMENT(base)));
    if (std::llabs(taken - flows) < implausible) offset = taken - flows;
  }
  const std::lock_guard<std::mutex> hold(state.lock);
  state.offset = offset;
}

GstFlowReturn transform(GstBaseTransform* base, GstBuffer* buffer) {
  State& state = *self(base)->state;
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  if (state.clockRate == 0 || !GST_BUFFER_PTS_IS_VALID(buffer)) return GST_FLOW_OK;
  if (!gst_rtp_buffer_map(buffer, GST_MAP_READ, &rtp)) return GST_FLOW_OK;
  const guint32 stamp = gst_rtp_buffer_get_timestamp(&rtp);
  const guint32 ssrc = gst_rtp_buffer_get_ssrc(&rtp);
  gst_rtp_buffer_unmap(&rtp);
  GST_BUFFER_PTS(buffer) = state.clock.timeOf(stamp, GST_BUFFER_PTS(buffer), state.clockRate);
  look(base, buffer, stamp, ssrc);
  return GST_FLOW_OK;
}

gboolean setCaps(GstBaseTransform* base, GstCaps* caps, GstCaps*) {
  gint rate = 0;
  gst_structure_get_int(gst_caps_get_structure(caps, 0), "clock-rate", &rate);
  self(base)->state->clockRate = rate > 0 ? static_cast<guint>(rate) : 0;
  return TRUE;
}

void finalize(GObject* object) {
  delete self(object)->state;
  G_OBJECT_CLASS(rtp_times_parent_class)->finalize(object);
}

GstStaticPadTemplate sinkTemplate =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("application/x-rtp"));
GstStaticPadTemplate srcTemplate =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("application/x-rtp"));

void rtp_times_class_init(RtpTimesClass* type) {
  G_OBJECT_CLASS(type)->finalize = finalize;
  GstElementClass* element = GST_ELEMENT_CLASS(type);
  gst_element_class_add_static_pad_template(element, &sinkTemplate);
  gst_element_class_add_static_pad_template(element, &srcTemplate);
  gst_element_class_set_static_metadata(element, "RTP times", "Filter/Network/RTP",
                                        "Finds out when the frames of a network camera were taken", "Obscura");
  GstBaseTransformClass* base = GST_BASE_TRANSFORM_CLASS(type);
  base->transform_ip = transform;
  base->set_caps = setCaps;
}

void rtp_times_init(RtpTimes* element) {
  element->state = new State();
  gst_base_transform_set_in_place(GST_BASE_TRANSFORM(element), TRUE);
}

}  // namespace

bool registerRtpTimes() {
  return gst_element_register(nullptr, "rtptimes", GST_RANK_NONE, rtp_times_get_type()) == TRUE;
}

GstElement* findRtpTimes(GstElement* element) { return findInPipeline(element, "rtptimes"); }

std::optional<GstClockTimeDiff> rtpTimesOffset(GstElement* element) {
  State& state = *self(element)->state;
  const std::lock_guard<std::mutex> hold(state.lock);
  return state.offset;
}

}  // namespace obscura
