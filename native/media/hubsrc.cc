#include "hubsrc.h"

#include <gst/base/gstpushsrc.h>
#include <gst/video/video.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "channel.h"
#include "events.h"
#include "pipelines.h"

namespace obscura {
namespace {

/** By which of its times a frame flows on. */
enum class Timing { captured, taken, arrived };
const char* const timings[] = {"captured", "taken", "arrived"};
/** What becomes of the pictures since the last keyframe: they are shown, prepare a decoder and are not, or are left. */
enum class Replay { shown, unseen, none };
const char* const replays[] = {"shown", "unseen", "none"};
constexpr guint noPatience = G_MAXUINT;
/** More than ever waits in a mixer. */
constexpr std::size_t mostGiven = 128;
/** How often a move looks whether it can be, and how often it asks for a keyframe. */
constexpr std::chrono::milliseconds betweenLooks{20};
constexpr std::int64_t betweenRequestsUs = 200'000;
/** Two encoders take so long at most for the same picture, one longer than the other. */
constexpr std::int64_t waitForOldUs = 100'000;

/** Whoever a channel offers its units to, on behalf of an outlet. */
class Inlet final : public Consumer {
 public:
  using Take = std::function<void(Inlet& from, const UnitPtr& unit)>;
  Inlet(const std::string& name, std::size_t mostReplayed, Take take)
      : channel(Channel::named(name)), name(name), mostReplayed_(mostReplayed), take_(std::move(take)) {}

  void offer(const UnitPtr& unit) override { take_(*this, unit); }
  std::uint64_t dropped() const override { return lost; }
  std::size_t mostReplayed() const override { return mostReplayed_; }

  const std::shared_ptr<Channel> channel;
  const std::string name;
  std::atomic<std::uint64_t> lost{0};

 private:
  const std::size_t mostReplayed_;
  const Take take_;
};

/**
 * What the element is in C++: a queue that never keeps the channel waiting. It may move to another channel while it
 * runs: both offer their units until the new one has a keyframe, and what lies before that still comes from the old.
 * Channels call in here with their locks held, so nothing here calls a channel with its own.
 */
class Outlet {
 public:
  void start() {
    waitsForKey_ = true;
    hasBegun_ = false;
    presented_ = replayed_ = latest_ = earliest_ = 0;
    given_.clear();
    due_ = 0;
    seen_ = 0;
    unseenUntil_ = GST_CLOCK_TIME_NONE;
    const auto inlet = std::make_shared<Inlet>(name(), replay == Replay::none ? 0 : limit.load(), taker());
    {
      const std::lock_guard<std::mutex> hold(lock_);
      current_ = inlet;
    }
    inlet->channel->attach(inlet.get());
    const std::lock_guard<std::mutex> hold(lock_);
    if (replay == Replay::unseen && !queue_.empty()) unseenUntil_ = queue_.back()->times.captured;
  }

  void stop() {
    std::vector<std::shared_ptr<Inlet>> all;
    {
      const std::lock_guard<std::mutex> hold(lock_);
      if (current_ != nullptr) name_ = current_->name;
      all = std::move(left_);
      left_.clear();
      for (auto* each : {&current_, &next_})
        if (*each != nullptr) all.push_back(std::move(*each));
    }
    for (const auto& each : all) each->channel->detach(each.get());
    queue_.clear();
    arriving_.clear();
    firstOfNew_.reset();
    gst_caps_replace(&caps, nullptr);
    gst_caps_replace(&takenCaps, nullptr);
  }

  /** Of what flows now. */
  std::string name() {
    const std::lock_guard<std::mutex> hold(lock_);
    return current_ == nullptr ? name_ : current_->name;
  }

  /** The channel to read from: at once before it runs, otherwise from the next keyframe there on. */
  void readFrom(const std::string& name) {
    std::shared_ptr<Inlet> next;
    std::shared_ptr<Inlet> dismissed;
    {
      const std::lock_guard<std::mutex> hold(lock_);
      if (current_ == nullptr) {
        name_ = name;
        return;
      }
      if (next_ != nullptr && next_->name == name) return;
      dismissed = std::move(next_);
      arriving_.clear();
      if (current_->name != name) next_ = next = std::make_shared<Inlet>(name, 0, taker());
      askedAt_ = g_get_monotonic_time();
    }
    wakes_.notify_all();
    if (dismissed != nullptr) dismissed->channel->detach(dismissed.get());
    if (next == nullptr) return;
    // Which asks for a keyframe.
    next->channel->attach(next.get());
    bool isStillWanted = false;
    {
      const std::lock_guard<std::mutex> hold(lock_);
      isStillWanted = next_ == next || current_ == next;
    }
    // Whoever has stopped this in the meantime has found nothing to detach.
    if (!isStillWanted) next->channel->detach(next.get());
  }

  void requestKeyframe() {
    std::shared_ptr<Inlet> inlet;
    {
      const std::lock_guard<std::mutex> hold(lock_);
      inlet = current_;
    }
    if (inlet != nullptr) inlet->channel->requestKeyframe();
  }

  /** The next unit; none where the element is to let go. */
  UnitPtr take() {
    for (;;) {
      std::vector<std::shared_ptr<Inlet>> left;
      std::shared_ptr<Inlet> asked;
      std::string movedTo;
      UnitPtr unit;
      {
        std::unique_lock<std::mutex> hold(lock_);
        const auto isAwaited = [this] { return flushing_ || !queue_.empty() || !left_.empty(); };
        if (next_ == nullptr)
          wakes_.wait(hold, [this, &isAwaited] { return isAwaited() || next_ != nullptr; });
        else
          wakes_.wait_for(hold, betweenLooks, isAwaited);
        if (flushing_) return nullptr;
        if (!arriving_.empty() && g_get_monotonic_time() > arrivingSince_ + waitForOldUs) move();
        left = std::move(left_);
        left_.clear();
        if (!left.empty()) movedTo = current_->name;
        if (next_ != nullptr && arriving_.empty() && g_get_monotonic_time() > askedAt_ + betweenRequestsUs) {
          askedAt_ = g_get_monotonic_time();
          asked = next_;
        }
        if (!queue_.empty()) {
          unit = queue_.front();
          queue_.pop_front();
          if (unit == firstOfNew_) {
            earliest_ = latest_ + GST_MSECOND;
            firstOfNew_.reset();
          }
        }
      }
      for (const auto& each : left) each->channel->detach(each.get());
      if (!left.empty()) tell(Json().set("event", "moved").set("pipeline", owner).set("channel", movedTo));
      // The first wish may have come too soon after somebody else's.
      if (asked != nullptr) asked->channel->requestKeyframe();
      if (unit != nullptr) return unit;
    }
  }

  void setFlushing(bool flushing) {
    {
      const std::lock_guard<std::mutex> hold(lock_);
      flushing_ = flushing;
    }
    wakes_.notify_all();
  }

  /** Gives the buffer its time in this pipeline. */
  void stamp(GstBuffer* buffer, const Unit& unit, GstClockTime baseTime) {
    const GstClockTime at = timeOf(unit.times);
    GstClockTime own = at > baseTime ? at - baseTime : 0;
    if (own <= replayed_) {
      // What was captured before this pipeline's time began follows itself closely at the beginning.
      own = replayed_;
      replayed_ += GST_MSECOND;
    } else if (isRaw && own <= presented_) {
      own = presented_ + GST_MSECOND;
    }
    if (own < earliest_) {
      // The channel that was left had shown this moment already.
      own = earliest_;
      earliest_ += GST_MSECOND;
    }
    presented_ = own;
    latest_ = std::max(latest_, own);
    GST_BUFFER_PTS(buffer) = own;
    // Parsers would make up the times of pictures that are not sent in the order in which they are shown from this one.
    GST_BUFFER_DTS(buffer) = isRaw ? own : GST_CLOCK_TIME_NONE;
    const std::lock_guard<std::mutex> hold(lock_);
    serial_ += 1;
    given_.push_back({own, {unit.times, serial_}});
    if (given_.size() > mostGiven) given_.pop_front();
  }

  /** Once, where there is something that nobody is to see: the time at which they may. */
  GstClockTime takeHidden(GstClockTime baseTime) {
    const GstClockTime until = unseenUntil_;
    unseenUntil_ = GST_CLOCK_TIME_NONE;
    if (!GST_CLOCK_TIME_IS_VALID(until) || until < baseTime) return GST_CLOCK_TIME_NONE;
    return until - baseTime + GST_USECOND;
  }

  /** What left here with this time. */
  std::optional<GivenFrame> given(GstClockTime presented) {
    const std::lock_guard<std::mutex> hold(lock_);
    for (auto each = given_.rbegin(); each != given_.rend(); ++each)
      if (each->presented == presented) return each->frame;
    return std::nullopt;
  }

  /** The unit's caps, with the rate at which they leave here where that is limited. */
  void setCaps(GstCaps* from, guint rate) {
    gst_caps_replace(&takenCaps, from);
    capsRate = rate;
    isRaw = gst_structure_has_name(gst_caps_get_structure(from, 0), "video/x-raw");
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

  std::string owner;
  std::atomic<guint> limit{300};
  /** Units a second; 0 for all. Only where each stands for itself, as raw frames do. */
  std::atomic<guint> maxRate{0};
  /** Of so many units one passes; again only where each stands for itself. */
  std::atomic<guint> every{1};
  GstCaps* caps = nullptr;
  /** From which those were made, and for which rate. */
  GstCaps* takenCaps = nullptr;
  guint capsRate = 0;
  bool isRaw = false;
  /** Whether somebody gets what flows: only then is it a loss when something is dropped. */
  std::atomic<bool> watched{true};
  std::atomic<Replay> replay{Replay::shown};
  /** So long before the pipeline begins, its time does; milliseconds. */
  guint history = 0;
  std::atomic<Timing> timing{Timing::captured};
  /** What arrives later than so much after it was taken counts as taken later; milliseconds. */
  std::atomic<guint> patience{noPatience};

 private:
  struct Given {
    GstClockTime presented;
    GivenFrame frame;
  };

  GstClockTime timeOf(const Times& times) const {
    const Timing chosen = timing;
    const GstClockTime at = chosen == Timing::captured ? times.captured
                            : chosen == Timing::taken  ? times.taken
                                                       : times.arrived;
    const guint most = patience;
    if (most == noPatience) return at;
    return std::max(at, times.arrived - std::min<GstClockTime>(times.arrived, most * GST_MSECOND));
  }

  Inlet::Take taker() {
    return [this](Inlet& from, const UnitPtr& unit) {
      {
        const std::lock_guard<std::mutex> hold(lock_);
        if (&from == current_.get())
          takeCurrent(from, unit);
        else if (&from == next_.get())
          takeNext(unit);
      }
      wakes_.notify_one();
    };
  }

  /** With the lock held, as all that follow. */
  void takeCurrent(Inlet& from, const UnitPtr& unit) {
    if (!arriving_.empty() && unit->times.captured >= arriving_.front()->times.captured) {
      move();
      return;
    }
    if (waitsForKey_ && !unit->isKey) {
      miss(from, 1);
      return;
    }
    waitsForKey_ = false;
    if (seen_++ % every != 0 || !isDue(*unit)) return;
    if (queue_.size() >= limit) {
      // Too slow: what waits is old, and pictures between keyframes are worth nothing without what came before.
      miss(from, queue_.size());
      queue_.clear();
      if (!unit->isKey) {
        miss(from, 1);
        waitsForKey_ = true;
        return;
      }
    }
    hasBegun_ = hasBegun_ || watched;
    queue_.push_back(unit);
  }

  /** Whoever has not come so far, or has just come and waits for a keyframe, misses nothing. */
  void miss(Inlet& from, std::size_t units) {
    hasBegun_ = hasBegun_ && watched;
    if (hasBegun_) from.lost += units;
  }

  /** What comes before the first keyframe is not for here; what comes after it waits for the old to have come so far. */
  void takeNext(const UnitPtr& unit) {
    if (arriving_.empty()) {
      if (!unit->isKey) return;
      arrivingSince_ = g_get_monotonic_time();
    }
    arriving_.push_back(unit);
    // The old channel may have ended.
    if (g_get_monotonic_time() > arrivingSince_ + waitForOldUs) move();
  }

  void move() {
    const GstClockTime since = arriving_.front()->times.captured;
    while (!queue_.empty() && queue_.back()->times.captured >= since) queue_.pop_back();
    firstOfNew_ = arriving_.front();
    queue_.insert(queue_.end(), arriving_.begin(), arriving_.end());
    arriving_.clear();
    waitsForKey_ = false;
    left_.push_back(std::move(current_));
    current_ = std::move(next_);
  }

  /** Spaced evenly, and with some patience for cameras that are a little early. */
  bool isDue(const Unit& unit) {
    const guint rate = maxRate;
    if (rate == 0) return true;
    const GstClockTime interval = GST_SECOND / rate;
    if (unit.times.captured + interval * 3 / 10 < due_) return false;
    due_ = std::max(due_ + interval, unit.times.captured);
    return true;
  }

  std::mutex lock_;
  std::condition_variable wakes_;
  std::string name_ = "default";
  std::shared_ptr<Inlet> current_;
  /** To be moved to. */
  std::shared_ptr<Inlet> next_;
  /** Moved away from, and not let go of so far. */
  std::vector<std::shared_ptr<Inlet>> left_;
  std::deque<UnitPtr> queue_;
  /** Of the next channel, from a keyframe on. */
  std::deque<UnitPtr> arriving_;
  std::int64_t arrivingSince_ = 0;
  std::int64_t askedAt_ = 0;
  UnitPtr firstOfNew_;
  bool flushing_ = false;
  bool waitsForKey_ = true;
  /** Whether something was kept for somebody who watches. */
  bool hasBegun_ = false;
  /** The last time that was given. */
  GstClockTime presented_ = 0;
  GstClockTime replayed_ = 0;
  /** The highest that was given. */
  GstClockTime latest_ = 0;
  /** Nothing of this channel is earlier. */
  GstClockTime earliest_ = 0;
  std::deque<Given> given_;
  std::uint64_t serial_ = 0;
  /** When the last picture was captured that came before the beginning and is not to be seen. */
  GstClockTime unseenUntil_ = GST_CLOCK_TIME_NONE;
  GstClockTime due_ = 0;
  std::uint64_t seen_ = 0;
};

struct HubSrc {
  GstPushSrc parent;
  Outlet* outlet;
};
struct HubSrcClass {
  GstPushSrcClass parent;
};

G_DEFINE_TYPE(HubSrc, hub_src, GST_TYPE_PUSH_SRC)

enum Property {
  propertyChannel = 1,
  propertyLimit,
  propertyMaxRate,
  propertyEvery,
  propertyOwner,
  propertyTiming,
  propertyPatience,
  propertyReplay,
  propertyHistory,
  propertyWatched
};

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
  const GstClockTime baseTime = gst_element_get_base_time(GST_ELEMENT(source));
  const GstClockTime hidden = outlet.takeHidden(baseTime);
  if (GST_CLOCK_TIME_IS_VALID(hidden)) {
    // Decoders decode what lies before the segment and keep it to themselves.
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    segment.start = segment.base = segment.time = segment.position = hidden;
    gst_base_src_new_segment(GST_BASE_SRC(source), &segment);
  }
  const guint rate = outlet.maxRate;
  const bool isOther = outlet.takenCaps == nullptr || outlet.capsRate != rate ||
                       (outlet.takenCaps != unit->caps() && !gst_caps_is_equal(outlet.takenCaps, unit->caps()));
  if (isOther) {
    outlet.setCaps(unit->caps(), rate);
    if (!gst_base_src_set_caps(GST_BASE_SRC(source), outlet.caps)) return GST_FLOW_NOT_NEGOTIATED;
  }
  GstBuffer* buffer = unit->share();
  outlet.stamp(buffer, *unit, baseTime);
  GST_BUFFER_OFFSET(buffer) = GST_BUFFER_OFFSET_NONE;
  *result = buffer;
  return GST_FLOW_OK;
}

gboolean event(GstBaseSrc* base, GstEvent* given) {
  if (gst_video_event_is_force_key_unit(given)) {
    self(base)->outlet->requestKeyframe();
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

/** The first of the words where it is none of them. */
template <std::size_t count>
std::size_t indexOf(const char* const (&words)[count], const GValue* value) {
  const gchar* word = g_value_get_string(value);
  for (std::size_t index = 0; index < count; index += 1)
    if (g_strcmp0(word, words[index]) == 0) return index;
  return 0;
}

void setProperty(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  Outlet& outlet = *self(object)->outlet;
  if (id == propertyChannel) {
    const gchar* name = g_value_get_string(value);
    outlet.readFrom(name == nullptr ? "default" : name);
  } else if (id == propertyLimit) {
    outlet.limit = g_value_get_uint(value);
  } else if (id == propertyMaxRate) {
    outlet.maxRate = g_value_get_uint(value);
  } else if (id == propertyEvery) {
    outlet.every = g_value_get_uint(value);
  } else if (id == propertyOwner) {
    const gchar* owner = g_value_get_string(value);
    outlet.owner = owner == nullptr ? "" : owner;
  } else if (id == propertyTiming) {
    outlet.timing = static_cast<Timing>(indexOf(timings, value));
  } else if (id == propertyHistory) {
    outlet.history = g_value_get_uint(value);
  } else if (id == propertyWatched) {
    outlet.watched = g_value_get_boolean(value) == TRUE;
  } else if (id == propertyReplay) {
    outlet.replay = static_cast<Replay>(indexOf(replays, value));
  } else if (id == propertyPatience) {
    outlet.patience = g_value_get_uint(value);
  } else {
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void getProperty(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  Outlet& outlet = *self(object)->outlet;
  if (id == propertyChannel)
    g_value_set_string(value, outlet.name().c_str());
  else if (id == propertyLimit)
    g_value_set_uint(value, outlet.limit);
  else if (id == propertyMaxRate)
    g_value_set_uint(value, outlet.maxRate);
  else if (id == propertyEvery)
    g_value_set_uint(value, outlet.every);
  else if (id == propertyOwner)
    g_value_set_string(value, outlet.owner.c_str());
  else if (id == propertyTiming)
    g_value_set_string(value, timings[static_cast<int>(outlet.timing.load())]);
  else if (id == propertyHistory)
    g_value_set_uint(value, outlet.history);
  else if (id == propertyWatched)
    g_value_set_boolean(value, outlet.watched ? TRUE : FALSE);
  else if (id == propertyReplay)
    g_value_set_string(value, replays[static_cast<int>(outlet.replay.load())]);
  else if (id == propertyPatience)
    g_value_set_uint(value, outlet.patience);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

GstStateChangeReturn changeState(GstElement* element, GstStateChange change) {
  const Outlet& outlet = *self(element)->outlet;
  if (change == GST_STATE_CHANGE_NULL_TO_READY) adoptPipelineOf(element, outlet.owner);
  // The pipeline itself has done so just before, and sets it to zero.
  if (change == GST_STATE_CHANGE_READY_TO_PAUSED && outlet.history > 0) {
    GstElement* pipeline = pipelineOf(element);
    gst_element_set_start_time(pipeline, outlet.history * GST_MSECOND);
    gst_object_unref(pipeline);
  }
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
      g_param_spec_string("channel", "Channel", "Name of the channel that gives the frames; while it runs, from the next keyframe there on",
                          "default", flags));
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
  g_object_class_install_property(
      object, propertyTiming,
      g_param_spec_string("timing", "Timing", "Frames flow by when they were captured, taken or arrived", timings[0],
                          flags));
  g_object_class_install_property(
      object, propertyPatience,
      g_param_spec_uint("patience", "Patience",
                        "Milliseconds: a frame that comes later than that after its time flows as a later one", 0,
                        noPatience, noPatience, flags));
  g_object_class_install_property(
      object, propertyReplay,
      g_param_spec_string("replay", "Replay",
                          "The pictures since the last keyframe are shown, unseen (decoded alone) or none", replays[0],
                          flags));
  g_object_class_install_property(
      object, propertyHistory,
      g_param_spec_uint("history", "History",
                        "Milliseconds before the pipeline begins from which frames keep their times; where no other "
                        "element makes frames",
                        0, 60'000, 0, flags));
  g_object_class_install_property(
      object, propertyWatched,
      g_param_spec_boolean("watched", "Watched", "Whether somebody gets what flows: what is dropped then counts as lost",
                           TRUE, flags));
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

std::optional<GivenFrame> frameGiven(GstElement* element, GstClockTime presented) {
  if (G_OBJECT_TYPE(element) != hub_src_get_type()) return std::nullopt;
  return self(element)->outlet->given(presented);
}

namespace {

template <typename Act>
void eachOutlet(GstElement* element, Act act) {
  if (G_OBJECT_TYPE(element) == hub_src_get_type()) {
    act(*self(element)->outlet);
    return;
  }
  if (!GST_IS_BIN(element)) return;
  GstIterator* inside = gst_bin_iterate_all_by_element_factory_name(GST_BIN(element), "hubsrc");
  gst_iterator_foreach(
      inside,
      [](const GValue* each, gpointer data) { (*static_cast<Act*>(data))(*self(g_value_get_object(each))->outlet); },
      &act);
  gst_iterator_free(inside);
}

}  // namespace

void requestKeyframes(GstElement* element) {
  eachOutlet(element, [](Outlet& outlet) { outlet.requestKeyframe(); });
}

void setWatched(GstElement* element, bool isWatched) {
  eachOutlet(element, [isWatched](Outlet& outlet) { outlet.watched = isWatched; });
}

}  // namespace obscura
