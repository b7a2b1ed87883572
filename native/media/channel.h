// The hub: named channels that join pipelines. One producer at a time puts frames in, any number of consumers take
// them out. A channel outlives its producers, so consumers keep what they have built while producers are exchanged.
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "json.h"

namespace obscura {

/** When a frame came to be, on the monotonic clock that all pipelines share. */
struct Times {
  /** By which it flows: evenly spaced, as the clock of the device has it. */
  GstClockTime captured = 0;
  /** By the clock on the wall, where the device says so; otherwise the same. */
  GstClockTime taken = 0;
  /** When it reached the hub for the first time. */
  GstClockTime arrived = 0;
};

/** One frame, or one access unit, as it was produced. Never changed, so that all consumers can share it. */
class Unit : public std::enable_shared_from_this<Unit> {
 public:
  /** Takes references of its own. */
  Unit(GstBuffer* buffer, GstCaps* caps, const Times& times, bool isKey);
  ~Unit();
  Unit(const Unit&) = delete;
  Unit& operator=(const Unit&) = delete;

  /** A buffer of the consumer's own, around the same memory; the caller owns it. */
  GstBuffer* share() const;
  GstCaps* caps() const { return caps_; }

  const Times times;
  const bool isKey;

 private:
  GstBuffer* buffer_;
  GstCaps* caps_;
  /** Of an encoded unit. */
  GstMapInfo bytes_{};
  bool isMapped_ = false;
};
using UnitPtr = std::shared_ptr<const Unit>;

class Consumer {
 public:
  virtual ~Consumer() = default;
  /** Called with the channel's lock held: takes the unit or drops it, and never waits. */
  virtual void offer(const UnitPtr& unit) = 0;
  virtual std::uint64_t dropped() const = 0;
  /** How many of the pictures since the last keyframe it can take at once when it comes. */
  virtual std::size_t mostReplayed() const = 0;
};

class Producer {
 public:
  virtual ~Producer() = default;
  /** Asks whatever makes the frames for one that can be decoded alone. Called with the channel's lock held. */
  virtual void requestKeyframe() = 0;
  /** The pipeline that it stands in, by the name under which that is known outside. */
  virtual std::string owner() const = 0;
  /** Is heard only while there is no other. */
  virtual bool isStandby() const = 0;
};

class Channel {
 public:
  /** The channel of this name, made at its first use. It stays until it is forgotten. */
  static std::shared_ptr<Channel> named(const std::string& name);
  /** Drops the figures of a channel that nobody reads from or writes to any more. */
  static void forget(const std::string& name);
  /** Figures of all channels: an object by name. */
  static std::string statistics();

  explicit Channel(std::string name) : name_(std::move(name)) {}

  /** A number that grows: of two producers the one that began later is the one. */
  std::uint64_t beginProducing();
  /**
   * A newer producer takes over with its first keyframe; what an older one still delivers is ignored. One on standby
   * takes over when there is no other, or that one is silent, and gives way to any. Times never go backwards across such a change; within
   * what one producer has encoded they may, where pictures are not sent in the order in which they are shown.
   */
  void publish(Producer* producer, std::uint64_t generation, GstBuffer* buffer, GstCaps* caps, const Times& times);
  /** Of the unit that was captured then, or nearly so; the time itself where there is none any more. */
  Times timesOf(GstClockTime captured);
  void endProducing(Producer* producer);

  /** Offers the pictures since the last keyframe, so that the consumer can show something at once, if it wants to. */
  void attach(Consumer* consumer);
  void detach(Consumer* consumer);
  /** Asks the producer, but not more often than makes sense for all consumers together. */
  void requestKeyframe();
  /** When the first unit was captured since only producers have been heard that are no stand-in; none while one is. */
  GstClockTime liveSince();

 private:
  std::string describe();
  /** With the lock held, and a producer. */
  void passRequestOn(std::int64_t now);
  /** With the lock held. */
  bool mayTakeOver(const Producer& producer, std::uint64_t generation) const;
  /** Whether viewers have seen the same picture, from another producer. */
  bool isShown(const Times& times) const;

  const std::string name_;
  std::mutex lock_;
  std::set<Consumer*> consumers_;
  Producer* producer_ = nullptr;
  /** About to take over; the one that has it now is not heard any more. */
  Producer* heir_ = nullptr;
  std::uint64_t generation_ = 0;
  std::deque<UnitPtr> sinceKey_;
  std::size_t sinceKeyBytes_ = 0;
  /** More came since the last keyframe than is worth keeping. */
  bool sinceKeyOverflowed_ = false;
  GstClockTime lastAt_ = 0;
  /** Nothing of this producer is earlier. */
  GstClockTime earliest_ = 0;
  /** Of the last units. */
  std::deque<Times> times_;
  GstClockTime liveSince_ = GST_CLOCK_TIME_NONE;
  std::int64_t lastFrameAt_ = 0;
  std::int64_t lastRequestAt_ = 0;
  /** Somebody has asked so soon after another that the producer is to be asked later. */
  bool isKeyframeOwed_ = false;
  std::uint64_t frames_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t keyframes_ = 0;
  std::uint64_t changes_ = 0;
  std::uint64_t dropped_ = 0;
  /** Of the last unit, and as text. */
  GstCaps* caps_ = nullptr;
  std::string capsText_;
};

}  // namespace obscura
