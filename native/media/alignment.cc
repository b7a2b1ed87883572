#include "alignment.h"

#include <gst/base/gstaggregator.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <optional>
#include <vector>

#include "hubsrc.h"
#include "json.h"
#include "pipelines.h"

namespace obscura {
namespace {

constexpr const char* mixerName = "mix";
constexpr const char* watchName = "obscura-alignment";
/** Of the cameras; what else is in the picture has no time. */
constexpr std::array<const char*, 2> cameraPads = {"sink_0", "sink_1"};
/** A second of pictures, and a little more. */
constexpr std::size_t mostSamples = 128;

struct Seen {
  /** From when its pictures were taken to when they were here. */
  std::vector<double> lags;
  std::uint64_t serial = 0;
  std::uint64_t repeated = 0;
  std::uint64_t dropped = 0;
};

struct Watch {
  std::mutex lock;
  std::vector<double> skews;
  std::vector<double> waits;
  std::array<Seen, cameraPads.size()> seen;
};

double milliseconds(GstClockTimeDiff time) { return static_cast<double>(time) / GST_MSECOND; }

/** The frame that the mixer shows of a camera. */
std::optional<GivenFrame> frameOf(GstAggregator* mixer, const char* name) {
  std::optional<GivenFrame> frame;
  GstPad* pad = gst_element_get_static_pad(GST_ELEMENT(mixer), name);
  if (pad == nullptr) return frame;
  GstSample* sample = gst_aggregator_peek_next_sample(mixer, GST_AGGREGATOR_PAD(pad));
  GstPad* peer = gst_pad_get_peer(pad);
  GstElement* source = peer == nullptr ? nullptr : gst_pad_get_parent_element(peer);
  GstBuffer* buffer = sample == nullptr ? nullptr : gst_sample_get_buffer(sample);
  if (source != nullptr && buffer != nullptr) frame = frameGiven(source, GST_BUFFER_PTS(buffer));
  if (source != nullptr) gst_object_unref(source);
  if (peer != nullptr) gst_object_unref(peer);
  if (sample != nullptr) gst_sample_unref(sample);
  gst_object_unref(pad);
  return frame;
}

void keep(std::vector<double>& samples, double sample) {
  if (samples.size() == mostSamples) samples.erase(samples.begin());
  samples.push_back(sample);
}

void onSelected(GstAggregator* mixer, GstSegment*, guint64, guint64, guint64, GstStructure*, gpointer data) {
  Watch& watch = *static_cast<Watch*>(data);
  std::array<std::optional<GivenFrame>, cameraPads.size()> frames;
  for (std::size_t index = 0; index < frames.size(); index += 1) frames[index] = frameOf(mixer, cameraPads[index]);
  const std::lock_guard<std::mutex> hold(watch.lock);
  for (std::size_t index = 0; index < frames.size(); index += 1) {
    const auto& frame = frames[index];
    if (!frame.has_value()) continue;
    Seen& seen = watch.seen[index];
    if (frame->serial == seen.serial) seen.repeated += 1;
    if (frame->serial > seen.serial + 1 && seen.serial > 0) seen.dropped += frame->serial - seen.serial - 1;
    seen.serial = frame->serial;
    keep(seen.lags, milliseconds(GST_CLOCK_DIFF(frame->times.taken, frame->times.arrived)));
  }
  const auto& [first, second] = frames;
  if (!first.has_value() || !second.has_value()) return;
  keep(watch.skews, milliseconds(std::abs(GST_CLOCK_DIFF(first->times.taken, second->times.taken))));
  const GstClockTime earlier = std::min(first->times.arrived, second->times.arrived);
  const GstClockTime now = static_cast<GstClockTime>(g_get_monotonic_time()) * GST_USECOND;
  keep(watch.waits, milliseconds(GST_CLOCK_DIFF(earlier, now)));
}

Watch& watchOf(GstElement* mixer) {
  auto* watch = static_cast<Watch*>(g_object_get_data(G_OBJECT(mixer), watchName));
  if (watch != nullptr) return *watch;
  watch = new Watch();
  g_object_set_data_full(G_OBJECT(mixer), watchName, watch, [](gpointer data) { delete static_cast<Watch*>(data); });
  g_object_set(mixer, "emit-signals", TRUE, nullptr);
  g_signal_connect(mixer, "samples-selected", G_CALLBACK(onSelected), watch);
  return *watch;
}

double median(std::vector<double> samples) {
  if (samples.empty()) return 0;
  std::sort(samples.begin(), samples.end());
  return samples[samples.size() / 2];
}

Json summary(std::vector<double> samples) {
  if (samples.empty()) return Json();
  const double worst = *std::max_element(samples.begin(), samples.end());
  return Json().set("median", median(std::move(samples))).set("worst", worst);
}

}  // namespace

std::string alignmentReport(const std::string& owner) {
  GstElement* mixer = elementOf(owner, mixerName);
  if (mixer == nullptr) return "";
  Watch& watch = watchOf(mixer);
  Json report;
  {
    const std::lock_guard<std::mutex> hold(watch.lock);
    report.set("pictures", static_cast<std::uint64_t>(watch.skews.size()))
        .setRaw("skewMs", summary(std::move(watch.skews)).text())
        .setRaw("waitedMs", summary(std::move(watch.waits)).text())
        .set("repeated", watch.seen[0].repeated + watch.seen[1].repeated)
        .set("dropped", watch.seen[0].dropped + watch.seen[1].dropped)
        .setRaw("lagMs", Json()
                             .set("primary", median(std::move(watch.seen[0].lags)))
                             .set("secondary", median(std::move(watch.seen[1].lags)))
                             .text());
    watch.skews.clear();
    watch.waits.clear();
    for (Seen& seen : watch.seen) seen.lags.clear();
  }
  gst_object_unref(mixer);
  return report.text();
}

}  // namespace obscura
