#include "hubsrc.h"

#include <gst/base/gstpushsrc.h>
#include <gst/video/video.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "channel.h"
#include "pipelines.h"

namespace obscura {
namespace {

/** What the element is in C++: a queue that never keeps the channel waiting. */
class Outlet final : public Consumer {
 public:
  void start() {
    channel = Channel::named(name);
    waitsForKey_ = true;
    lastTime_ = GST_CLOCK_TIME_NONE;
    due_ = 0;
    seen_ = 0;
    dropped_ = 0;
    channel->attach(this);
  }
  void stop() {
    if (channel != nullptr) channel->detach(this);
    channel.reset();
    queue_.clear();
    gst_caps_replace(&caps, nullptr);
    gst_caps_replace(&takenCaps, nullptr);
  }

  void offer(const UnitPtr& unit) override {
    bool needsKey = false;
    {
      const std::lock_guard<std::mutex> hold(lock_);
      if (waitsForKey_ && !unit->isKey) {
        dropped_ += 1;
        return;
      }
      waitsForKey_ = false;
      if (seen_++ % every != 0 || !isDue(*unit)) return;
      if (queue_.size() >= limit) {
        // Too slow: what waits is old, and pictures between keyframes are worth nothing without what came before.
        dropped_ += queue_.size();
        queue_.clear();
        if (!unit->isKey) {
          dropped_ += 1;
          waitsForKey_ = true;
          needsKey = true;
        }
      }
      if (!needsKey) queue_.push_back(unit);
    }
    wakes_.notify_one();
  }

  std::uint64_t dropped() const override { return dropped_; }

  /** The next unit; none where the element is to let go. */
  UnitPtr take() {
    std::unique_lock<std::mutex> hold(lock_);
    wakes_.wait(hold, [this] { return flushing_ || !queue_.empty(); });
    if (flushing_) return nullptr;
    UnitPtr unit = queue_.front();
    queue_.pop_front();
    return unit;
  }

  void setFlushing(bool flushing) {
    {
      const std::lock_guard<std::mutex> hold(lock_);
      flushing_ = flushing;
    }
    wakes_.notify_all();
  }

  /** Time in this pipeline. What was captured before the pipeline began follows itself closely at the beginning. */
  GstClockTime timeOf(const Unit& unit, GstClockTime baseTime) {
    const GstClockTime own = unit.capturedAt > baseTime ? unit.capturedAt - baseTime : 0;
    const bool first = !GST_CLOCK_TIME_IS_VALID(lastTime_);
    lastTime_ = first ? own : std::max(own, lastTime_ + GST_MSECOND);
    return lastTime_;
  }

  /** The unit's caps, with the rate at which they leave here where that is limited. */
  void setCaps(GstCaps* from, guint rate) {
    gst_caps_replace(&takenCaps, from);
    capsRate = rate;
    gst_caps_replace(&caps, from);
    if (rate == 0) return;
    gint numerator = 0;
    gint denominator = 1;
    gst_structure_get_fraction(gst_caps_get_structure(from, 0), "framerate", &numerator, &denominator);
    const bool isSlower =
        numerator > 0 && static_cast<guint64>(numerator) <= static_cast<guint64>(rate) * static_cast<guint64>(denominator);
    if (isSlower) return;
    caps = gst_caps_make_writable(caps);
    gst_caps_set_simple(caps, "framerate", GST_TYPE_FRACTION, static_cast<gint>(rate), 1, nullptr);
  }

  std::string name = "default";
  std::string owner;
  std::atomic<guint> limit{300};
  /** Units a second; 0 for all. Only where each stands for itself, as raw frames do. */
  std::atomic<guint> maxRate{0};
  /** Of so many units one passes; again only where each stands for itself. */
  std::atomic<guint> every{1};
  std::shared_ptr<Channel> channel;
  GstCaps* caps = nullptr;
  /** From which those were made, and for which rate. */
  GstCaps* takenCaps = nullptr;
  guint capsRate = 0;

 private:
  /** With the lock held. Spaced evenly, and with some patience for cameras that are a little early. */
  bool isDue(const Unit& unit) {
    const guint rate = maxRate;
    if (rate == 0) return true;
    const GstClockTime interval = GST_SECOND / rate;
    if (unit.capturedAt + interval * 3 / 10 < due_) return false;
    due_ = std::max(due_ + interval, unit.capturedAt);
    return true;
  }

  std::mutex lock_;
  std::condition_variable wakes_;
  std::deque<UnitPtr> queue_;
  bool flushing_ = false;
  bool waitsForKey_ = true;
  GstClockTime lastTime_ = GST_CLOCK_TIME_NONE;
  GstClockTime due_ = 0;
  std::uint64_t seen_ = 0;
  std::atomic<std::uint64_t> dropped_{0};
};

struct HubSrc {
  GstPushSrc parent;
  Outlet* outlet;
};
struct HubSrcClass {
  GstPushSrcClass parent;
};

G_DEFINE_TYPE(HubSrc, hub_src, GST_TYPE_PUSH_SRC)

enum Property { propertyChannel = 1, propertyLimit, propertyMaxRate, propertyEvery, propertyOwner };

HubSrc* self(gpointer object) { return reinterpret_cast<HubSrc*>(object); }

gboolean start(GstBaseSrc* base) {
  self(base)->outlet->start();
  return TRUE;
}

gboolean stop(GstBaseSrc* base) {
  self(base)->outlet->stop();
  return TRUE;
}

gboolean unlock(GstBaseSrc* base) {
  self(base)->outlet->setFlushing(true);
  return TRUE;
}

gboolean unlockStop(GstBaseSrc* base) {
  self(base)->outlet->setFlushing(false);
  return TRUE;
}

/** Caps come with the frames, not before. */
gboolean negotiate(GstBaseSrc*) { return TRUE; }

GstFlowReturn create(GstPushSrc* source, GstBuffer** result) {
  HubSrc* hub = self(source);
  Outlet& outlet = *hub->outlet;
  const UnitPtr unit = outlet.take();
  if (unit == nullptr) return GST_FLOW_FLUSHING;
  const guint rate = outlet.maxRate;
  const bool isOther = outlet.takenCaps == nullptr || outlet.capsRate != rate ||
                       (outlet.takenCaps != unit->caps() && !gst_caps_is_equal(outlet.takenCaps, unit->caps()));
  if (isOther) {
    outlet.setCaps(unit->caps(), rate);
    if (!gst_base_src_set_caps(GST_BASE_SRC(source), outlet.caps)) return GST_FLOW_NOT_NEGOTIATED;
  }
  GstBuffer* buffer = unit->share();
  const GstClockTime time = outlet.timeOf(*unit, gst_element_get_base_time(GST_ELEMENT(source)));
  GST_BUFFER_PTS(buffer) = time;
  GST_BUFFER_DTS(buffer) = time;
  GST_BUFFER_OFFSET(buffer) = GST_BUFFER_OFFSET_NONE;
  *result = buffer;
  return GST_FLOW_OK;
}

gboolean event(GstBaseSrc* base, GstEvent* given) {
  const auto channel = self(base)->outlet->channel;
  if (gst_video_event_is_force_key_unit(given)) {
    if (channel != nullptr) channel->requestKeyframe();
    return TRUE;
  }
  return GST_BASE_SRC_CLASS(hub_src_parent_class)->event(base, given);
}

gboolean query(GstBaseSrc* base, GstQuery* asked) {
  if (GST_QUERY_TYPE(asked) != GST_QUERY_LATENCY)
    return GST_BASE_SRC_CLASS(hub_src_parent_class)->query(base, asked);
  gst_query_set_latency(asked, TRUE, 0, GST_CLOCK_TIME_NONE);
  return TRUE;
}

void setProperty(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  Outlet& outlet = *self(object)->outlet;
  if (id == propertyChannel) {
    const gchar* name = g_value_get_string(value);
    outlet.name = name == nullptr ? "default" : name;
  } else if (id == propertyLimit) {
    outlet.limit = g_value_get_uint(value);
  } else if (id == propertyMaxRate) {
    outlet.maxRate = g_value_get_uint(value);
  } else if (id == propertyEvery) {
    outlet.every = g_value_get_uint(value);
  } else if (id == propertyOwner) {
    const gchar* owner = g_value_get_string(value);
    outlet.owner = owner == nullptr ? "" : owner;
  } else {
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void getProperty(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  const Outlet& outlet = *self(object)->outlet;
  if (id == propertyChannel)
    g_value_set_string(value, outlet.name.c_str());
  else if (id == propertyLimit)
    g_value_set_uint(value, outlet.limit);
  else if (id == propertyMaxRate)
    g_value_set_uint(value, outlet.maxRate);
  else if (id == propertyEvery)
    g_value_set_uint(value, outlet.every);
  else if (id == propertyOwner)
    g_value_set_string(value, outlet.owner.c_str());
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

GstStateChangeReturn changeState(GstElement* element, GstStateChange change) {
  if (change == GST_STATE_CHANGE_NULL_TO_READY) adoptPipelineOf(element, self(element)->outlet->owner);
  return GST_ELEMENT_CLASS(hub_src_parent_class)->change_state(element, change);
}

void finalize(GObject* object) {
  delete self(object)->outlet;
  G_OBJECT_CLASS(hub_src_parent_class)->finalize(object);
}

GstStaticPadTemplate srcTemplate =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

void hub_src_class_init(HubSrcClass* type) {
  GObjectClass* object = G_OBJECT_CLASS(type);
  object->set_property = setProperty;
  object->get_property = getProperty;
  object->finalize = finalize;
  const auto flags = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_property(
      object, propertyChannel,
      g_param_spec_string("channel", "Channel", "Name of the channel that gives the frames", "default", flags));
  g_object_class_install_property(
      object, propertyLimit,
      g_param_spec_uint("max-queue", "Longest queue", "Frames that may wait before they are dropped", 1, 10'000, 300,
                        flags));
  g_object_class_install_property(
      object, propertyMaxRate,
      g_param_spec_uint("max-rate", "Highest rate", "Raw frames a second that pass; 0 for all", 0, 1000, 0, flags));
  g_object_class_install_property(
      object, propertyEvery,
      g_param_spec_uint("every", "Every so many", "Of so many raw frames the first passes", 1, 100'000, 1, flags));
  g_object_class_install_property(object, propertyOwner,
                                  g_param_spec_string("owner", "Owner", ownerDescription, "", flags));
  GstElementClass* element = GST_ELEMENT_CLASS(type);
  element->change_state = changeState;
  gst_element_class_add_static_pad_template(element, &srcTemplate);
  gst_element_class_set_static_metadata(element, "Hub source", "Source/Video",
                                        "Takes frames from a channel that another pipeline fills", "Obscura");
  GstBaseSrcClass* base = GST_BASE_SRC_CLASS(type);
  base->start = start;
  base->stop = stop;
  base->unlock = unlock;
  base->unlock_stop = unlockStop;
  base->negotiate = negotiate;
  base->event = event;
  base->query = query;
  GST_PUSH_SRC_CLASS(type)->create = create;
}

void hub_src_init(HubSrc* source) {
  source->outlet = new Outlet();
  GstBaseSrc* base = GST_BASE_SRC(source);
  gst_base_src_set_live(base, TRUE);
  gst_base_src_set_format(base, GST_FORMAT_TIME);
  gst_base_src_set_do_timestamp(base, FALSE);
}

}  // namespace

bool registerHubSrc() {
  return gst_element_register(nullptr, "hubsrc", GST_RANK_NONE, hub_src_get_type()) == TRUE;
}

void requestKeyframes(GstElement* element) {
  if (G_OBJECT_TYPE(element) == hub_src_get_type()) {
    const auto channel = self(element)->outlet->channel;
    if (channel != nullptr) channel->requestKeyframe();
    return;
  }
  if (!GST_IS_BIN(element)) return;
  GstIterator* inside = gst_bin_iterate_all_by_element_factory_name(GST_BIN(element), "hubsrc");
  gst_iterator_foreach(
      inside, [](const GValue* each, gpointer) { requestKeyframes(GST_ELEMENT(g_value_get_object(each))); }, nullptr);
  gst_iterator_free(inside);
}

}  // namespace obscura
