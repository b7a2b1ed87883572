#include "channel.h"

#include <algorithm>
#include <cstdlib>
#include <map>

#include "events.h"

namespace obscura {
namespace {

/** A group of pictures beyond this is not worth replaying to a newcomer. */
constexpr std::size_t mostUnits = 600;
constexpr std::size_t mostBytes = 16 * 1024 * 1024;
/** Viewers that come in a crowd share a keyframe. */
constexpr std::int64_t betweenRequestsUs = 100'000;
/** How far frames of a new producer are put behind the last one of the old, where they would lie before it. */
constexpr GstClockTime shortestGap = GST_MSECOND;
/** Enough for whatever takes part in making one channel from another. */
constexpr std::size_t mostTimes = 128;
/** One that stands by is heard in place of one that has said nothing for so long. */
constexpr std::int64_t silentAfterUs = 500'000;
/** Two frames are never as close as this. */
constexpr GstClockTimeDiff sameTime = GST_MSECOND / 2;

std::mutex registryLock;

std::map<std::string, std::shared_ptr<Channel>>& registry() {
  static std::map<std::string, std::shared_ptr<Channel>> channels;
  return channels;
}

bool isRaw(const GstCaps* caps) {
  return gst_structure_has_name(gst_caps_get_structure(caps, 0), "video/x-raw");
}

/** Decoded alone, whatever the encoder says: webpenc of GStreamer 1.22 calls every one of its pictures a difference. */
bool isStill(const GstCaps* caps) {
  return g_str_has_prefix(gst_structure_get_name(gst_caps_get_structure(caps, 0)), "image/") == TRUE;
}

}  // namespace

Unit::Unit(GstBuffer* buffer, GstCaps* caps, const Times& times, bool isKey)
    : times(times),
      isKey(isKey),
      buffer_(gst_buffer_ref(buffer)),
      caps_(gst_caps_ref(caps)),
      isMapped_(!isRaw(caps) && gst_buffer_map(buffer_, &bytes_, GST_MAP_READ)) {}

Unit::~Unit() {
  if (isMapped_) gst_buffer_unmap(buffer_, &bytes_);
  gst_buffer_unref(buffer_);
  gst_caps_unref(caps_);
}

GstBuffer* Unit::share() const {
  // Raw frames may be in memory of a device, which is to stay what it is.
  if (!isMapped_) return gst_buffer_copy(buffer_);
  GstBuffer* shared = gst_buffer_new();
  gst_buffer_copy_into(shared, buffer_, static_cast<GstBufferCopyFlags>(GST_BUFFER_COPY_METADATA), 0,
                       static_cast<gsize>(-1));
  // Memory keeps a list of all buffers that hold it, under a lock: with many viewers, each would pay for all others.
  gst_buffer_append_memory(
      shared, gst_memory_new_wrapped(GST_MEMORY_FLAG_READONLY, bytes_.data, bytes_.size, 0, bytes_.size,
                                     new std::shared_ptr<const Unit>(shared_from_this()),
                                     [](gpointer held) { delete static_cast<std::shared_ptr<const Unit>*>(held); }));
  return shared;
}

std::shared_ptr<Channel> Channel::named(const std::string& name) {
  const std::lock_guard<std::mutex> hold(registryLock);
  auto& channel = registry()[name];
  if (channel == nullptr) channel = std::make_shared<Channel>(name);
  return channel;
}

void Channel::forget(const std::string& name) {
  const std::lock_guard<std::mutex> hold(registryLock);
  const auto found = registry().find(name);
  // Whoever holds it would meet nobody in one that is made anew.
  if (found != registry().end() && found->second.use_count() == 1) registry().erase(found);
}

std::string Channel::statistics() {
  std::vector<std::pair<std::string, std::shared_ptr<Channel>>> all;
  {
    const std::lock_guard<std::mutex> hold(registryLock);
    all.assign(registry().begin(), registry().end());
  }
  Json json;
  for (const auto& [name, channel] : all) json.setRaw(name, channel->describe());
  return json.text();
}

std::uint64_t Channel::beginProducing() {
  static std::mutex lock;
  static std::uint64_t latest = 0;
  const std::lock_guard<std::mutex> hold(lock);
  return ++latest;
}

void Channel::publish(Producer* producer, std::uint64_t generation, GstBuffer* buffer, GstCaps* caps,
                      const Times& times) {
  const bool isKey = isStill(caps) || !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  bool tookOver = false;
  {
    const std::lock_guard<std::mutex> hold(lock_);
    if (producer_ == producer && heir_ != nullptr) return;
    if (producer_ != producer) {
      if (!mayTakeOver(*producer, generation)) return;
      if (!isKey) {
        // One that was silent for a while, and had lost its place, comes back.
        if (generation == generation_ && !producer->isStandby()) producer->requestKeyframe();
        return;
      }
      if (isShown(times)) {
        // Nobody is to see it twice: the next picture is the new one's first, and not the old one's any more.
        heir_ = producer;
        producer->requestKeyframe();
        return;
      }
      heir_ = nullptr;
      tookOver = true;
      producer_ = producer;
      if (!producer->isStandby()) generation_ = generation;
      changes_ += 1;
      earliest_ = lastAt_ + shortestGap;
    }
    Times own = times;
    if (isRaw(caps)) earliest_ = lastAt_ + shortestGap;
    if (own.captured < earliest_) {
      own.captured = earliest_;
      earliest_ += shortestGap;
    }
    lastAt_ = std::max(lastAt_, own.captured);
    if (producer->isStandby())
      liveSince_ = GST_CLOCK_TIME_NONE;
    else if (!GST_CLOCK_TIME_IS_VALID(liveSince_))
      liveSince_ = own.captured;
    times_.push_back(own);
    if (times_.size() > mostTimes) times_.pop_front();
    const auto unit = std::make_shared<const Unit>(buffer, caps, own, isKey);
    const std::size_t size = gst_buffer_get_size(buffer);
    if (gst_caps_replace(&caps_, caps)) {
      gchar* text = gst_caps_to_string(caps);
      capsText_ = text;
      g_free(text);
    }
    lastFrameAt_ = g_get_monotonic_time();
    frames_ += 1;
    bytes_ += size;
    if (isKey) {
      keyframes_ += 1;
      isKeyframeOwed_ = false;
      sinceKey_.clear();
      sinceKeyBytes_ = 0;
      sinceKeyOverflowed_ = false;
    }
    // Raw frames come from pools that may be small, and each is worth as much as the one before.
    if (!isRaw(caps) && !sinceKeyOverflowed_) {
      sinceKey_.push_back(unit);
      sinceKeyBytes_ += size;
      if (sinceKey_.size() > mostUnits || sinceKeyBytes_ > mostBytes) {
        sinceKeyOverflowed_ = true;
        sinceKey_.clear();
        sinceKeyBytes_ = 0;
      }
    }
    for (Consumer* consumer : consumers_) consumer->offer(unit);
    if (isKeyframeOwed_ && lastFrameAt_ - lastRequestAt_ >= betweenRequestsUs) passRequestOn(lastFrameAt_);
  }
  if (tookOver) tell(Json().set("event", "producing").set("channel", name_).set("pipeline", producer->owner()));
}

Times Channel::timesOf(GstClockTime captured) {
  const std::lock_guard<std::mutex> hold(lock_);
  for (auto each = times_.rbegin(); each != times_.rend(); ++each)
    if (std::abs(GST_CLOCK_DIFF(each->captured, captured)) < sameTime) return *each;
  return {captured, captured, captured};
}

bool Channel::mayTakeOver(const Producer& producer, std::uint64_t generation) const {
  if (!producer.isStandby()) return generation >= generation_;
  return producer_ == nullptr || producer_->isStandby() || g_get_monotonic_time() - lastFrameAt_ > silentAfterUs;
}

bool Channel::isShown(const Times& times) const {
  return producer_ != nullptr && std::any_of(times_.begin(), times_.end(), [&times](const Times& each) {
           return each.arrived == times.arrived;
         });
}

void Channel::endProducing(Producer* producer) {
  {
    const std::lock_guard<std::mutex> hold(lock_);
    if (heir_ == producer) heir_ = nullptr;
    if (producer_ != producer) return;
    producer_ = nullptr;
    heir_ = nullptr;
  }
  tell(Json().set("event", "idle").set("channel", name_));
}

void Channel::attach(Consumer* consumer) {
  std::size_t count = 0;
  bool hasPicture = false;
  {
    const std::lock_guard<std::mutex> hold(lock_);
    // Of half a group nothing can be shown, so then the newcomer needs a keyframe of its own.
    hasPicture = !sinceKey_.empty() && producer_ != nullptr && sinceKey_.size() <= consumer->mostReplayed();
    if (hasPicture)
      for (const auto& unit : sinceKey_) consumer->offer(unit);
    consumers_.insert(consumer);
    count = consumers_.size();
  }
  tell(Json().set("event", "demand").set("channel", name_).set("consumers", static_cast<std::uint64_t>(count)));
  if (!hasPicture) requestKeyframe();
}

void Channel::detach(Consumer* consumer) {
  std::size_t count = 0;
  {
    const std::lock_guard<std::mutex> hold(lock_);
    if (consumers_.erase(consumer) == 0) return;
    dropped_ += consumer->dropped();
    count = consumers_.size();
  }
  tell(Json().set("event", "demand").set("channel", name_).set("consumers", static_cast<std::uint64_t>(count)));
}

void Channel::requestKeyframe() {
  const std::lock_guard<std::mutex> hold(lock_);
  const std::int64_t now = g_get_monotonic_time();
  if (producer_ == nullptr) return;
  // Whoever asks has missed the keyframe that was given a moment ago.
  isKeyframeOwed_ = now - lastRequestAt_ < betweenRequestsUs;
  if (!isKeyframeOwed_) passRequestOn(now);
}

void Channel::passRequestOn(std::int64_t now) {
  isKeyframeOwed_ = false;
  lastRequestAt_ = now;
  // Only marks the wish in the encoder: nothing comes back into this channel from here.
  producer_->requestKeyframe();
}

GstClockTime Channel::liveSince() {
  const std::lock_guard<std::mutex> hold(lock_);
  return liveSince_;
}

std::string Channel::describe() {
  const std::lock_guard<std::mutex> hold(lock_);
  std::uint64_t dropped = dropped_;
  for (const Consumer* consumer : consumers_) dropped += consumer->dropped();
  const std::int64_t ageUs = lastFrameAt_ == 0 ? -1 : g_get_monotonic_time() - lastFrameAt_;
  return Json()
      .set("producing", producer_ != nullptr)
      .set("consumers", static_cast<std::uint64_t>(consumers_.size()))
      .set("frames", frames_)
      .set("bytes", bytes_)
      .set("keyframes", keyframes_)
      .set("dropped", dropped)
      .set("changes", changes_)
      .set("ageMs", ageUs < 0 ? -1.0 : static_cast<double>(ageUs) / 1000.0)
      .set("caps", capsText_)
      .text();
}

}  // namespace obscura
